"""A made-up past: a profile whose log was read, seats with their days of use, and the back-test of a rule over it.

Days are written as numbers, counted from the first of January 2026. The installation's zone is UTC here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from profiles.models import IntegrationProfile, JobRun
from reclamation.back_tests import start
from reclamation.back_tests.start import Question
from reclamation.models import BackTest, BackTestFinding, ReclamationRule
from subscriptions.models import ActivityDay, Subscription
from tests import factories, worlds

BEGIN = date(2026, 1, 1)
DAY = timedelta(days=1)


def on(number: float) -> date:
    return BEGIN + timedelta(days=int(number))


def at(number: float) -> datetime:
    """A moment: the midnight at which the day begins, or so much of the day later."""
    return datetime.combine(BEGIN, time(0), tzinfo=UTC) + timedelta(days=number)


@dataclass
class Past:
    """One profile, whose log was read from day `known[0]` to day `known[1]`, and a rule with a threshold of 30 days."""

    known: tuple[float, float] = (0, 300)
    rule_fields: dict[str, Any] = field(default_factory=dict)
    profile_fields: dict[str, Any] = field(default_factory=dict)
    profile: IntegrationProfile = field(init=False)
    rule: ReclamationRule = field(init=False)
    kind: Any = field(init=False)

    def __post_init__(self) -> None:
        self.profile = factories.profile(team_id="t1", refreshed_at=at(300), **self.profile_fields)
        if self.known:
            factories.coverage(self.profile, at(self.known[0]), at(self.known[1]))
        self.kind = factories.identifier()
        fields = {"threshold_days": 30, "minimum_age_days": 30, **self.rule_fields}
        self.rule = factories.rule(self.kind.software_model, **fields)

    def seat(self, *used: int, **fields: Any) -> Subscription:
        """A seat that was assigned long ago and used on these days."""
        given = {"assigned_at": at(-500), "first_seen_at": at(-500), "profile": self.profile, "identifier": self.kind}
        seat = factories.subscription(**{**given, **fields})
        days = [ActivityDay(subscription=seat, day=on(day), events=1, pull=1) for day in used]
        ActivityDay.objects.bulk_create(days)
        return seat

    def test(self, first: int, last: int, horizon: int = 30, **settings: Any) -> BackTest:
        """Request a back-test with the rule's settings, or others, and let a worker do it."""
        own = {name: getattr(self.rule, name) for name in BackTest.SETTINGS}
        asked = Question({**own, **settings}, on(first), on(last), horizon)
        made = start.run(self.rule, asked, by=None, now=at(300))  # type: ignore[arg-type]
        worlds.work()
        made.refresh_from_db()
        assert made.run and made.run.state == JobRun.State.SUCCEEDED, made.run and made.run.error_message
        return made


def found(test: BackTest) -> dict[int, tuple[int, str, str]]:
    """By seat: the day of its proposal, the reason, and what became of it."""
    rows = BackTestFinding.objects.filter(back_test=test)
    return {row.subscription_id: ((row.on - BEGIN).days, row.reason, row.outcome) for row in rows}
