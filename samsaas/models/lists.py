"""How people see their lists: density, columns, and saved views."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from samsaas.lib.sight import sight_of


class ListPreference(models.Model):
    """How one person sees lists: `samsaas.lib.list_choices` says what is in it. One row a person."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    is_compact = models.BooleanField(default=True, help_text="One line a row.")
    columns = models.JSONField(default=dict, help_text="The columns shown, by list. Missing: its own.")
    opens_with = models.JSONField(default=dict, help_text="The saved view a list opens with, by list.")

    def __str__(self) -> str:
        return f"Lists of account {self.pk}"


def keep_shared(collector: Any, field: Any, views: models.QuerySet[Any], using: str) -> None:
    """What happens to the views of an account that is deleted: shared ones stay without an owner, the others go."""
    models.SET_NULL(collector, field, views.filter(shared=True), using)
    models.CASCADE(collector, field, views.filter(shared=False), using)


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def open_to(self, account: Any) -> Self:
        """The person's own views, and those that somebody shared. Their names may tell of profiles one may not see."""
        own = models.Q(owner=account)
        return self.filter(own if sight_of(account) is not None else own | models.Q(shared=True))


class SavedView(models.Model):
    """A filter and an order of one list under a name. `query` is a query string that the list's own filter took."""

    list = models.CharField(max_length=60, help_text="The class of the list's table.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=keep_shared, related_name="+", help_text="Empty: is deleted."
    )
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)
    shared = models.BooleanField(default=False, help_text="Everybody who may open the list sees it.")

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["list", "owner", "name"], name="saved_view_one_per_name")]

    def __str__(self) -> str:
        return self.name
