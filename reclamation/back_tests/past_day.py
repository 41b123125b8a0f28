"""Who would have been proposed on a past day, and what became of them: one statement for all seats of a rule.

The rows 10 to 24 of the specification's section 4 are asked, in their order, from the facts of that day, as far as they
are known today: use by the days on which a seat was used; status by the moments at which it changed; exemptions and
decisions to keep by when they were made. Roles, licenses and the values that conditions compare are those of today.

A seat was listed on a day if it was assigned, invited or first seen by then and had not ended. One that ended and came
back later counts as listed throughout. Excluded seats, and those of another team, are counted nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, CharField, DateField, Exists, F, IntegerField, OuterRef, Q, Subquery, Value, When
from django.utils import timezone

from reclamation.back_tests.past_coverage import PastCoverage
from reclamation.models import BackTest, BackTestFinding, Exemption, ReclamationRule, RemovalCandidate
from reclamation.reasons import PROPOSABLE, Reason
from reclamation.states import State
from reclamation.terms import Terms
from reclamation.verdicts import match_conditions
from subscriptions.activity import last_used
from subscriptions.models import ActivityDay, Subscription
from subscriptions.models.vendor_moment import VendorMomentField

TEXT = CharField()
NOBODY = Value("", output_field=TEXT)
Status, Outcome = Subscription.Status, BackTestFinding.Outcome
COLUMNS = ("test", "pk", "day", "past_reason", "outcome", "last_use_on", "back_on")


@dataclass(frozen=True)
class PastDay:
    """A rule on a day, and the horizon after it. Days of use are UTC days, all others are those of the installation.

    `ends` and `horizon_ends` are the midnights after the day, and after the last day of the horizon.
    """

    day: date
    terms: Terms
    first_used: date
    ends: datetime
    horizon_on: date
    horizon_ends: datetime

    @classmethod
    def of_rule(cls, rule: ReclamationRule, day: date, horizon_days: int) -> PastDay:
        """The rule as it would have judged at the end of this day."""
        noon = datetime.combine(day, time(12), tzinfo=timezone.get_current_timezone())
        horizon = timedelta(days=horizon_days)
        return cls(
            day=day,
            terms=Terms.at(rule, noon),
            first_used=day - timedelta(days=rule.threshold_days - 1),
            ends=last_used.midnight(noon, -1),
            horizon_on=day + horizon,
            horizon_ends=last_used.midnight(noon, -1 - horizon_days),
        )


def find(test: BackTest, past: PastDay, known: PastCoverage) -> Any:
    """What is found on the day, as rows of `COLUMNS`: seats that were not found on an earlier day of the back-test."""
    used = ActivityDay.objects.filter(subscription=OuterRef("pk"))
    last = used.filter(day__lte=past.day).order_by("-day").values("day")[:1]
    back = used.filter(day__gt=past.day, day__lte=past.horizon_on).order_by("day").values("day")[:1]
    found_before = BackTestFinding.objects.filter(back_test=test, subscription=OuterRef("pk"))
    seats = _listed(test, past).filter(~Exists(found_before))
    judged = seats.annotate(began=_began(past)).annotate(past_reason=_judge(past, known))
    return (
        judged.filter(past_reason__in=PROPOSABLE)
        .annotate(
            test=Value(test.pk, output_field=IntegerField()),
            day=Value(past.day, output_field=DateField()),
            last_use_on=Subquery(last),
            back_on=Subquery(back),
        )
        .annotate(outcome=_outcome(past, known))
        .order_by("pk")
        .values_list(*COLUMNS)
    )


def _listed(test: BackTest, past: PastDay) -> Any:
    """The rule's seats that were listed at the end of the day."""
    there = Q(assigned_at__lt=past.ends) | Q(invited_at__lt=past.ends) | Q(first_seen_at__lt=past.ends)
    seats = Subscription.objects.filter(there, identifier__software_model=test.rule.software_model_id, excluded=False)
    seats = seats.filter(Q(ended_at=None) | Q(ended_at__gte=past.ends))
    return seats.filter(Q(profile__team_since=None) | Q(known_since__gte=F("profile__team_since")))


def _began(past: PastDay) -> Case:
    """B of the specification, by what had happened by then."""
    names = ("assigned_at", "invited_at", "first_seen_at")
    whens = [When(Q(**{f"{name}__lt": past.ends}), then=F(name)) for name in names]
    return Case(*whens, output_field=VendorMomentField())


def _judge(past: PastDay, known: PastCoverage) -> Case:
    """Rows 10 to 15. What is not proposed has no reason here."""
    unknown = Q(status=Status.UNKNOWN) | Q(status=Status.REMOVED, ended_at=None)
    protected = (unknown, Q(consumes_license=False), _was_exempt(past), Q(is_admin=True), _was_kept(past))
    whens = [When(condition, then=NOBODY) for condition in protected]
    rule = past.terms.rule
    if rule.include_leavers:
        whens.append(When(match__person__left_on__lt=past.day, then=Value(Reason.LEAVER)))
    judged = _judge_by_use(past, known)
    if rule.conditions:
        whens.append(When(match_conditions(rule.conditions), then=judged))
        return _case(whens, NOBODY)
    return _case(whens, judged)


def _was_exempt(past: PastDay) -> Q:
    """An exemption that was made by then, had not been ended, and whose last day was not over."""
    valid = Exemption.objects.filter(
        Q(ended_at=None) | Q(ended_at__gte=past.ends), Q(until=None) | Q(until__gte=past.day), at__lt=past.ends
    )
    return Q(Exists(valid.filter(subscription=OuterRef("pk")))) | Q(
        Exists(valid.filter(person=OuterRef("match__person")))
    )


def _was_kept(past: PastDay) -> Q:
    """A decision to keep it that had been made by then: those are made by closing a candidate."""
    decided = RemovalCandidate.objects.filter(
        subscription=OuterRef("pk"), state=State.CLOSED_SKIPPED, closed_at__lt=past.ends
    )
    return Q(keep_until__gte=past.day) & Q(Exists(decided))


def _judge_by_use(past: PastDay, known: PastCoverage) -> Case:
    """Rows 16a to 20."""
    terms, rule = past.terms, past.terms.rule
    used = ActivityDay.objects.filter(subscription=OuterRef("pk"))
    never = ~Q(Exists(used.filter(day__lte=past.day)))
    since = terms.used_since
    returned = Q(restored_at__gte=since, restored_at__lt=past.ends) | Q(
        returned_at__gte=since, returned_at__lt=past.ends
    )
    invited, suspended = _was_invited(past), _was_suspended(past)
    rows = [
        (not rule.include_invited, invited, NOBODY),
        (True, invited & Q(began__gte=terms.invited_since), NOBODY),
        (True, invited, Value(Reason.INVITED)),
        (True, Q(Exists(used.filter(day__gte=past.first_used, day__lte=past.day))), NOBODY),
        (True, returned, NOBODY),
        (not rule.include_suspended, suspended, NOBODY),
        (True, suspended & Q(suspended_at__gte=since), NOBODY),
        (True, Q(began__gte=terms.too_new_since) | Q(began__gte=terms.never_used_since) & never, NOBODY),
        (not rule.include_never_active, never, NOBODY),
    ]
    kinds = [When(suspended, then=Value(Reason.SUSPENDED)), When(never, then=Value(Reason.NEVER_ACTIVE))]
    idle = _case(kinds, Value(Reason.IDLE))
    return _case([When(q, then=then) for applies, q, then in rows if applies], _judge_by_coverage(past, known, idle))


def _judge_by_coverage(past: PastDay, known: PastCoverage, idle: Case) -> Case:
    """Rows 21 to 24: proposed only where the log was read from the threshold to the end of the day, and says enough."""
    weak = [] if past.terms.rule.logins_are_enough or not known.weak else [Q(profile__in=known.weak)]
    whens = [When(condition, then=NOBODY) for condition in weak]
    return _case([*whens, When(known.covers(past.terms.used_since, past.ends), then=idle)], NOBODY)


def _was_invited(past: PastDay) -> Q:
    """Invited and not there yet; now invited still, joined since then, or removed without having joined."""
    joined_later = Q(assigned_at__gte=past.ends, invited_at__lt=past.ends)
    never_joined = Q(status=Status.REMOVED, assigned_at=None, invited_at__isnull=False)
    return Q(status=Status.INVITED) | joined_later | never_joined


def _was_suspended(past: PastDay) -> Q:
    known = Q(status__in=(Status.SUSPENDED, Status.REMOVED), suspended_at__lt=past.ends)
    return known | Q(status=Status.SUSPENDED, suspended_at=None)


def _outcome(past: PastDay, known: PastCoverage) -> Case:
    """What became of a proposed seat. Who ended, and whose horizon is not known to its end, is not counted at all.

    That holds for use in such a horizon, too: what is not known would hide only those who did not come back.
    """
    final, covered = known.is_final(past.horizon_ends), known.covers(past.ends, past.horizon_ends)
    whens = [
        When(ended_at__lt=past.horizon_ends, back_on=None, then=Value(Outcome.ENDED)),
        When(final & covered & Q(back_on__isnull=False), then=Value(Outcome.BACK)),
        When(final & covered, then=Value(Outcome.AWAY)),
        When(final, then=Value(Outcome.GAP)),
    ]
    return _case(whens, Value(Outcome.NOT_SETTLED, output_field=TEXT))


def _case(whens: list[When], default: Any) -> Case:
    return Case(*whens, default=default, output_field=TEXT)
