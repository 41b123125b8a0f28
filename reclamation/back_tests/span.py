"""On which days a rule can be back-tested: where the log was read for the threshold before, and the horizon after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule
from subscriptions.activity import pull_earlier
from subscriptions.activity.coverage import intervals
from subscriptions.activity.drop_old_days import first_kept_day
from subscriptions.models import Subscription, SubscriptionIdentifier
from subscriptions.models.activity import LATE

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The days of one profile that can be replayed, from `first` to `last`; none if that is earlier.

    `known_from` is the first day that was read as a whole; it is None, and so are the others, where nothing was read.
    `possible_on` is when the horizon of `first` is over and final. `can_go_back`: whether earlier time can be read.
    """

    profile: IntegrationProfile
    known_from: date | None
    first: date | None
    last: date | None
    possible_on: date | None
    can_go_back: bool

    @property
    def is_possible(self) -> bool:
        return self.first is not None and self.last is not None and self.first <= self.last


def profiles_of(rule: ReclamationRule) -> QuerySet[IntegrationProfile]:
    """The profiles that have, or had, seats of the rule's software model."""
    kinds = list(
        SubscriptionIdentifier.objects.filter(software_model=rule.software_model_id).values_list("pk", flat=True)
    )
    seats = Subscription.objects.filter(profile=OuterRef("pk"), identifier__in=kinds)
    return IntegrationProfile.objects.filter(Exists(seats)).order_by("display_name").prefetch_related("coverage")


def read_spans(rule: ReclamationRule, *, threshold_days: int, horizon_days: int, now: datetime) -> list[Span]:
    """The days that can be replayed with this threshold and horizon, by profile. Two queries, and one for coverage."""
    return [_span_of(profile, threshold_days, horizon_days, now) for profile in profiles_of(rule)]


def first_possible(spans: list[Span]) -> date | None:
    """The first day that any of the profiles can be replayed on; None if there is none yet."""
    return min((one.first for one in spans if one.is_possible and one.first), default=None)


def last_possible(spans: list[Span]) -> date | None:
    """The last day whose horizon is final for any of the profiles; None if there is none yet."""
    return max((one.last for one in spans if one.is_possible and one.last), default=None)


def _span_of(profile: IntegrationProfile, threshold_days: int, horizon_days: int, now: datetime) -> Span:
    latest = intervals.latest_of_team(profile)
    if latest is None:
        return Span(profile, None, None, None, None, can_go_back=False)
    known_from = max(_first_whole_day(latest.since), first_kept_day(now) + DAY)
    first = known_from + timedelta(days=threshold_days - 1)
    horizon = timedelta(days=horizon_days)
    last = timezone.localtime(latest.settled_until).date() - DAY - horizon
    possible_on = first + horizon + DAY + LATE
    can_go_back = not pull_earlier.refusal(profile, now)
    return Span(profile, known_from, first, last, possible_on, can_go_back)


def _first_whole_day(since: datetime) -> date:
    local = timezone.localtime(since)
    return local.date() + (timedelta() if local.time() == datetime.min.time() else DAY)
