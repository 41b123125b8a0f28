"""The mail server of one story, and the letters that it delivered. It refuses, defers, and loses its answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.utils import timezone

from reclamation.asking import notices
from reclamation.models import Notice
from samsaas.lib.mail import MailDeferred, MailRefused, ServerUnusable

KEEP_LINK = re.compile(r"/keep/([\w-]{43})")
FAULTS = ("refused", "deferred", "unusable", "lost")


@dataclass
class Delivered:
    """A question or a reminder that a user has. `candidate` and `person_key` are as they were when it arrived.

    One whose link was used has arrived, whatever its mail server reports afterwards.
    """

    to: str
    token: str
    at: datetime
    candidate: int
    external_id: str
    person_key: str
    notice: int
    until: datetime | None  # of a reminder: the end that it names
    came_back: bool = False
    was_used: bool = False


class Post:
    """One mail server. `fault` is what the next mail meets; `at_mail` is called before and after each delivery."""

    def __init__(self) -> None:
        self.letters: list[Delivered] = []
        self.fault = ""
        self.at_mail: Callable[[str, str], None] = lambda when, to: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *given: Any) -> None:
        pass

    def deliver(self, message: Any) -> None:
        """What the outbox calls instead of a postman of its own."""
        (to,) = message.to
        self.at_mail("before", to)
        fault, self.fault = self.fault, ""
        if fault == "refused":
            raise MailRefused("550 no such user")
        if fault == "deferred":
            raise MailDeferred("450 later")
        if fault == "unusable":
            raise ServerUnusable("Connection refused")
        self._receive(to, message.body)
        if fault == "lost":
            raise MailDeferred("The connection was lost after the text.")
        self.at_mail("after", to)

    def _receive(self, to: str, text: str) -> None:
        found = KEEP_LINK.search(text)
        notice = found and notices.find(found[1], (Notice.Kind.ASK, Notice.Kind.REMINDER))
        if found and notice:
            asked = notice.candidate
            until = notice.expires_at if notice.kind == Notice.Kind.REMINDER else None
            about = (asked.pk, asked.external_id, asked.person_key, notice.pk, until)
            self.letters.append(Delivered(to, found[1], timezone.now(), *about))
