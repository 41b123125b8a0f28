"""A Ready candidate of a reviewed rule, whose user has an address and a manager; and a minute of the beat."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from reclamation.asking import ask, sweep
from reclamation.models import Notice, ReclamationRule, RemovalCandidate
from samsaas import outbox
from samsaas.models import Mail
from tests import factories

MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def rule(**fields: Any) -> ReclamationRule:
    """A rule that a person has reviewed, with the defaults of all rules."""
    model = fields.pop("software_model", None) or factories.software_model()
    given = {"name": "SAM - Reclaim", "made_at": timezone.now(), "reviewed_at": timezone.now(), **fields}
    return ReclamationRule.objects.create(software_model=model, **given)


def candidate(of_rule: ReclamationRule | None = None, *, person: Any = True, **fields: Any) -> RemovalCandidate:
    """A Ready candidate of the rule. Its user is Ann Lee, whose main address is not that of the account."""
    chosen = of_rule or rule()
    profile = fields.pop("profile", None) or factories.profile(team_id="dbtid:1")
    seat = factories.subscription(
        profile=profile,
        identifier=factories.identifier(software_model=chosen.software_model),
        email="ann.l@example.com",
    )
    if person is True:
        person = factories.person("ann@example.com", "ann.l@example.com", name="Ann Lee")
    if person:
        factories.match(seat, person)
    given = {"rule": chosen, "software_model": str(chosen.software_model), **fields}
    return factories.candidate(seat, **given)


def asked(of_rule: ReclamationRule | None = None, *, at: datetime = MONDAY, by: Any = None, **fields: Any) -> Any:
    """A candidate whose user was asked, by a mail that has been sent."""
    made = candidate(of_rule, **fields)
    ask.run(made, by, at)
    minute(at)
    made.refresh_from_db()
    return made


def minute(now: datetime) -> None:
    """What the beat does every minute."""
    outbox.send_due(now)
    sweep.run(now)


def token_of(one: RemovalCandidate, kind: str = Notice.Kind.ASK) -> str:
    """The token in the latest mail of this kind, as its reader finds it."""
    mail = Mail.objects.filter(notice__candidate=one, notice__kind=kind).latest("pk")
    found = re.search(r"/(?:keep|approvals/link)/([\w-]+)", mail.secret)
    assert found, "the mail has no link any more"
    return found[1]


def reread(one: Any) -> Any:
    return type(one).objects.get(pk=one.pk)


def sam_admin(account: Any, name: str = "boss", **fields: Any) -> User:
    made: User = account("sam_admin", username=name, email=f"{name}@example.com", **fields)
    return made
