"""Send the words of the question to whoever writes them, filled in as for a real candidate. The link keeps nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User

from reclamation.asking import wording
from reclamation.asking.wording import Wording
from reclamation.models import RemovalCandidate
from reclamation.states import State
from samsaas import audit, outbox
from samsaas.lib import mail

PREFIX = "[Test] "
NO_ADDRESS = "Your account has no e-mail address that can be written to. An administrator can add one in Core UI."
WITHIN = timedelta(days=1)
# Without a candidate in the installation, the preview has these.
DEFAULT_DAYS = 7
EXAMPLE = {
    wording.NAME: "Ann Example",
    wording.PRODUCT: "Dropbox Business",
    wording.LAST_USE: "3 September 2026",
    wording.UNTIL: "7 December 2026",
}


class NotSent(Exception):
    """Nothing was queued. The text says why."""


def example_candidate() -> RemovalCandidate | None:
    """The latest candidate that could be asked about; without one, the latest open one."""
    rows = RemovalCandidate.objects.open().select_related("rule", "profile", "subscription__match__person")
    return rows.filter(state=State.READY).first() or rows.first()


def preview(template: Wording, candidate: RemovalCandidate | None, now: datetime) -> Wording:
    """The words as somebody would get them if they were sent now."""
    values = {**EXAMPLE, wording.ORGANIZATION: wording.organization(), wording.LINK: outbox.LINK}
    if candidate:
        days = candidate.rule.notice_days if candidate.rule else DEFAULT_DAYS
        sent = outbox.first_moment(now) + timedelta(days=days)
        values |= {**wording.values_for(candidate), wording.UNTIL: wording.date_in_words(sent)}
    return wording.fill(template, values)


def run(template: Wording, by: User, now: datetime) -> None:
    """Queue the test, to be sent at once at any hour. Raises `NotSent`."""
    if not by.email or mail.address_problem(by.email):
        raise NotSent(NO_ADDRESS)
    words = preview(template, example_candidate(), now)
    sent = outbox.queue(
        to=by.email,
        subject=f"{PREFIX}{words.subject}",
        body=words.text,
        secret=f"{settings.PUBLIC_URL}/keep/only-a-test",
        give_up_at=now + WITHIN,
        any_hour=True,
        now=now,
    )
    audit.record(by, "sent test of notices", sent)
