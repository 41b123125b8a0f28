"""How many subscriptions a rule would propose with another threshold: one answer for every number of days.

A higher threshold never proposes more. So each seat has a last threshold that still proposes it, and counting those by
day answers for all thresholds at once, with one grouped statement for each profile.

The rows of the specification's section 4 stand here a second time, as plain conditions: a million verdicts take
seconds, and a page cannot wait for them. A test compares the thresholds with the verdicts in random worlds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest, TruncDate
from django.utils import timezone

from profiles.models import Credential
from reclamation.models import Exemption, ReclamationRule
from reclamation.models.rule import RANGES
from reclamation.rules.scope import Scope
from reclamation.terms import Standing, Terms
from reclamation.verdicts import BEGAN, match_conditions
from samsaas.lib import sql
from subscriptions.activity.coverage.reach import Reach
from subscriptions.models import Match, Subscription
from subscriptions.models.vendor_moment import VendorMomentField

LOWEST, HIGHEST = RANGES["threshold_days"]
DRAWN = 365  # the last threshold of the chart
MOMENT = VendorMomentField()
BEGINNING = Value(datetime(2000, 1, 1, tzinfo=UTC), output_field=MOMENT)
INSTANT = timedelta(microseconds=1)
Status = Subscription.Status
NOT_JUDGED = (Status.UNKNOWN, Status.REMOVED)
NO_USE = -1  # in the place of a last threshold: not proposed by its use
# For PostgreSQL's planner. It cannot know that there are few days, so it would sort a million rows; it would compile a
# statement that takes less time than that; and a million last uses fit into this memory.
PLANNER = ("jit = off", "enable_sort = off", "work_mem = '64MB'")


@dataclass(frozen=True)
class ThresholdCounts:
    """The number of proposed subscriptions for each threshold from `LOWEST` on.

    Those that have an open candidate already count; a rule that only observes is counted as if it proposed.
    """

    numbers: tuple[int, ...]

    def at(self, days: int) -> int:
        """The number for one threshold of `LOWEST` to `HIGHEST` days."""
        return self.numbers[days - LOWEST]


def count_by_threshold(
    rule: ReclamationRule, scope: Scope, kept: Mapping[int, Counter[int]] = MappingProxyType({})
) -> ThresholdCounts:
    """Count for every threshold how many of the listed seats the rule would propose if nothing else changed.

    Profiles in `kept` are not counted anew: it has what `count_last_ones` found of them.
    """
    last_ones: Counter[int] = Counter()
    if rule.active and rule.software_model.under_management:
        for standing in scope.standings:
            known = kept.get(standing.profile.pk)
            last_ones.update(count_last_ones(rule, scope, standing) if known is None else known)
    found = [last_ones[days] for days in range(LOWEST, HIGHEST + 1)]
    return ThresholdCounts(tuple(reversed(list(accumulate(reversed(found))))))


def covered_days(scope: Scope) -> int | None:
    """The highest threshold for which activity was read in any of the profiles; None where none was read.

    A subscription that became known later may have a lower one.
    """
    today = timezone.localtime(scope.now).date()
    since = [one.since for standing in scope.standings for one in standing.knowledge.reaches]
    return max((_last_threshold(_day_before(moment), today) for moment in since), default=None)


@transaction.atomic
def count_last_ones(rule: ReclamationRule, scope: Scope, standing: Standing) -> Counter[int]:
    """How many seats of a profile have which last threshold.

    Leavers are few, and the threshold says nothing of them. So one statement counts everybody by use, and another one
    over the leavers alone takes them out again and adds them to every threshold. A third counts the invitations.
    """
    if not rule.active or standing.has_stale_directory or not rule.software_model.under_management:
        return Counter()
    if sql.is_postgresql():
        for setting in PLANNER:
            sql.execute(f"SET LOCAL {setting}")
    lowest = copy(rule)
    lowest.threshold_days = LOWEST
    terms = Terms.at(lowest, scope.now)
    seats = _removable(scope.seats(standing), standing, terms)
    left = Match.objects.filter(person__left_on__lt=terms.today).values("subscription")
    by_use = _proposed_by_use(standing, terms)
    found = Counter({HIGHEST: _count_invited(seats, left, terms)})
    if by_use:
        found.update(_count_by_day(seats.filter(by_use), None, standing, terms))
    if rule.include_leavers:
        leavers = seats.filter(pk__in=left).exclude(status__in=NOT_JUDGED)
        counted = _count_by_day(leavers, by_use, standing, terms) if by_use else Counter({NO_USE: leavers.count()})
        found[HIGHEST] += sum(counted.values())
        counted.pop(NO_USE, None)
        found.subtract(counted)
    return found


def _removable(seats: Any, standing: Standing, terms: Terms) -> Any:
    """Rows 2 to 13a: the guards, and what protects a seat whatever the rule says.

    The guard about unknown authorizers is met by administrators only, and those are out anyway.
    """
    profile = standing.profile
    authorizers = Credential.objects.filter(alias=profile.alias_id).exclude(admin_external_id="")
    exempt = Exemption.objects.valid_on(terms.today)
    exempt_people = Match.objects.filter(person__in=exempt.filter(person__isnull=False).values("person"))
    if profile.team_since:
        seats = seats.filter(known_since__gte=profile.team_since)
    seats = seats.filter(excluded=False, is_admin=False, consumes_license=True)
    return (
        seats.filter(Q(keep_until=None) | Q(keep_until__lt=terms.today))
        .exclude(external_id__in=list(authorizers.values_list("admin_external_id", flat=True)))
        .exclude(pk__in=exempt.filter(subscription__isnull=False).values("subscription"))
        .exclude(pk__in=exempt_people.values("subscription"))
    )


def _count_invited(seats: Any, left: Any, terms: Terms) -> int:
    """Rows 15 and 16: invitations that wait for long enough, of people who are here."""
    if not terms.rule.include_invited:
        return 0
    waiting = seats.filter(_began_before(terms.invited_since), status=Status.INVITED)
    matching = waiting.filter(match_conditions(terms.rule.conditions))
    return int((matching.exclude(pk__in=left) if terms.rule.include_leavers else matching).count())


def _proposed_by_use(standing: Standing, terms: Terms) -> Q | None:
    """Rows 15 and 17a to 24: the condition under which the lowest threshold proposes a seat; None if it cannot.

    No other threshold proposes a seat that the lowest one does not.
    """
    rule, since = terms.rule, terms.used_since
    if standing.has_stale_activity or (standing.has_weak_signal and not rule.logins_are_enough):
        return None
    (read,) = standing.knowledge.reaches  # without one the activity is stale
    if read.since > since:
        return None
    used = Q(last_activity__at__lt=since) & _began_before(terms.too_new_since)
    if rule.include_never_active:
        used |= Q(last_activity=None) & _began_before(min(terms.too_new_since, terms.never_used_since))
    status = Q(status=Status.ACTIVE)
    if rule.include_suspended:
        status |= Q(status=Status.SUSPENDED) & (Q(suspended_at=None) | Q(suspended_at__lt=since))
    return (
        status
        & (Q(restored_at=None) | Q(restored_at__lt=since))
        & (Q(returned_at=None) | Q(returned_at__lt=since))
        & (Q(known_since__lte=read.known_by) | Q(read_from__lte=since))
        & match_conditions(rule.conditions)
        & used
    )


def _count_by_day(seats: Any, counts: Q | None, standing: Standing, terms: Terms) -> Counter[int]:
    """How many of the seats have which last threshold; `NO_USE` for those that do not meet `counts`. One statement."""
    (read,) = standing.knowledge.reaches
    day = TruncDate(_decisive_moment(read), tzinfo=timezone.get_current_timezone())
    decisive = Case(When(counts, then=day), default=None) if counts else day
    rows = seats.annotate(decisive=decisive).order_by().values_list("decisive").annotate(Count("pk"))
    found: Counter[int] = Counter()
    for last, number in rows:
        found[min(_last_threshold(last, terms.today), HIGHEST) if last else NO_USE] += number
    return found


def _began_before(moment: datetime) -> Q:
    """As a condition on `verdicts.BEGAN`, in a form whose share of the rows a planner can estimate."""
    later = Q(invited_at__lt=moment) | Q(invited_at=None, first_seen_at__lt=moment)
    return Q(assigned_at__lt=moment) | (Q(assigned_at=None) & later)


def _decisive_moment(read: Reach) -> Greatest:
    """The latest moment that the threshold has to leave behind: rows 17a to 22.

    Use counts from the midnight on at which the threshold begins, and coverage has to begin by then, so the latter
    counts from the instant before.
    """
    covered = Value(read.since - INSTANT, output_field=MOMENT)
    joined = When(known_since__gt=read.known_by, then=Greatest(F("read_from") - INSTANT, covered, output_field=MOMENT))
    suspended = When(status=Status.SUSPENDED, suspended_at__isnull=False, then=F("suspended_at"))
    used = Coalesce(F("last_activity__at"), BEGAN, output_field=MOMENT)
    return Greatest(
        used,
        Coalesce(F("restored_at"), BEGINNING, output_field=MOMENT),
        Coalesce(F("returned_at"), BEGINNING, output_field=MOMENT),
        Case(suspended, default=BEGINNING, output_field=MOMENT),
        Case(joined, default=covered, output_field=MOMENT),
        output_field=MOMENT,
    )


def _last_threshold(decisive: date, today: date) -> int:
    """The highest threshold whose first midnight comes after this day."""
    return (today - decisive).days


def _day_before(covered_since: datetime) -> date:
    return timezone.localtime(covered_since - INSTANT).date()
