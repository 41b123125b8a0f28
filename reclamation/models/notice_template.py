"""The words of the question that users are asked, as a person has written them."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class NoticeTemplate(models.Model):
    """Subject and text of the question. There is at most one row; without it the built-in words are used.

    `reclamation.asking.wording` knows the variables.
    """

    ASK = "ask"

    kind = models.CharField(max_length=10, default=ASK, unique=True, editable=False)
    subject = models.CharField(max_length=150)
    text = models.TextField(max_length=5000)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return "Text of the question"
