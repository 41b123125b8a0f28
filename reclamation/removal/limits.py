"""How many removals a vendor team allows: without a second person, and at all.

They are counted by the moment of the call, of real attempts, also of those that were undone. The team counts, not the
profile: two profiles of one team share its limits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt
from subscriptions.models import Subscription

DAY, WEEK, MONTH = timedelta(hours=24), timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True)
class Figures:
    """The limits of a team at one moment.

    `licenses` is N, `quota` is Q (without a second person), `ceiling` is H (at all in seven days); `day` and `week` are
    the calls of the last 24 hours and 7 days.
    """

    licenses: int
    quota: int
    ceiling: int
    day: int
    week: int

    def needs_second_person(self, size: int) -> bool:
        """Whether so many removals more need the approval of a second person."""
        return size > self.quota or size + self.day > self.quota or size + self.week > self.quota

    def allows(self, size: int) -> bool:
        """Whether so many removals more are possible at all, with a second person."""
        return size + self.week <= self.ceiling

    def let_through(self, *, approved: bool) -> bool:
        """Whether one more may be called about; `approved`: a second person let its batch go on."""
        return self.allows(1) and (approved or not self.needs_second_person(1))

    def beside(self, attempt: RemovalAttempt, *, now: datetime) -> Figures:
        """The same without the attempt's own earlier call: another one about the same member takes no more room."""
        called = attempt.called_at
        if called is None:
            return self
        return replace(self, day=self.day - (called > now - DAY), week=self.week - (called > now - WEEK))

    @property
    def room(self) -> int:
        """How many removals are possible now."""
        return max(0, self.ceiling - self.week)

    def as_json(self) -> dict[str, int]:
        """For the batch, which keeps the figures of the moment at which it was made."""
        return {name: getattr(self, name) for name in ("licenses", "quota", "ceiling", "day", "week")}


def figures_for(profile: IntegrationProfile, *, now: datetime) -> Figures:
    """The limits of the profile's team now."""
    team = profiles_of_team(profile)
    licenses = _count_licenses(team)
    calls = calls_of_team(profile).filter(called_at__gt=now - WEEK)
    return Figures(
        licenses=licenses,
        quota=_lowest(team, "reclaim_quota") or max(1, min(10, licenses // 20)),
        ceiling=min(_lowest(team, "reclaim_ceiling") or licenses, max(1, licenses // 5)),
        day=calls.filter(called_at__gt=now - DAY).count(),
        week=calls.count(),
    )


def check_to_call_figures(*, now: datetime) -> dict[str, int] | None:
    """Milliseconds from the last look to the call, of the last 30 days: median, 99th percentile, most, and how many.

    None without any call.
    """
    calls = RemovalAttempt.objects.filter(called_at__gt=now - MONTH, check_to_call_ms__isnull=False)
    found = calls.order_by("check_to_call_ms").values_list("check_to_call_ms", flat=True)
    gaps = [gap for gap in found if gap is not None]
    if not gaps:
        return None
    last = len(gaps) - 1
    return {"median": gaps[last // 2], "p99": gaps[last * 99 // 100], "most": gaps[-1], "calls": len(gaps)}


def rest_possible_at(profile: IntegrationProfile, size: int, *, now: datetime) -> datetime | None:
    """When so many removals are possible, if nobody removes anything before; None where they never are."""
    figures = figures_for(profile, now=now)
    too_many = size + figures.week - figures.ceiling
    if too_many <= 0:
        return now
    if size > figures.ceiling:
        return None
    calls = calls_of_team(profile).filter(called_at__gt=now - WEEK).order_by("called_at")
    moments = list(calls.values_list("called_at", flat=True)[:too_many])
    last = moments[-1] if moments else None
    return last + WEEK if last else None


def calls_of_team(profile: IntegrationProfile) -> QuerySet[RemovalAttempt]:
    """The real attempts of the profile's team that have called the vendor."""
    real = RemovalAttempt.objects.filter(vendor=profile.vendor, team_id=profile.team_id, dry_run=False)
    return real.exclude(called_at=None)


def profiles_of_team(profile: IntegrationProfile) -> list[IntegrationProfile]:
    """The profile and every other one of its team."""
    others = profile.sharing_team(profile.team_id).select_related("alias__parent")
    return [profile, *others]


def _count_licenses(team: list[IntegrationProfile]) -> int:
    """What the vendor reports, else the accounts with a current seat that uses a license."""
    reported = [one.licenses_reported for one in team if one.licenses_reported]
    if reported:
        return min(reported)
    seats = Subscription.objects.consuming().filter(profile__in=team)
    return seats.order_by().values("external_id").distinct().count()


def _lowest(team: list[IntegrationProfile], setting: str) -> Any:
    """The lowest value that an alias of the team's profiles has, or None."""
    chosen = [value for one in team if (value := one.alias.effective_setting(setting)) is not None]
    return min(chosen, default=None)
