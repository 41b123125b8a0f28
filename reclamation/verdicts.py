"""Is a seat proposed? The answer in SQL, for one seat or a million at the same cost each.

`assess.decide` gives the same answer in Python, so that one seat can be explained. The rows of the specification's
section 4 are asked in their order; the first that applies decides. What a rule or a profile says is a constant in the
statement, so that each row is compared with plain moments.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from reclamation import guards
from reclamation.models import RemovalCandidate
from reclamation.reasons import Decision, Note, Reason, as_verdict
from reclamation.terms import RuleBook, Standing, Terms
from subscriptions.models import Subscription

TEXT = CharField()
BEGAN = Coalesce("assigned_at", "invited_at", "first_seen_at")
Status = Subscription.Status
PERSON_COLUMNS = {
    "department": "match__person__department",
    "cost_center": "match__person__cost_center",
    "country": "match__person__country",
}
CONDITION_COLUMNS = {"profile": "profile", "identifier": "identifier__identifier", **PERSON_COLUMNS}


def with_verdicts(
    seats: QuerySet[Subscription],
    standing: Standing,
    rules: RuleBook,
    *,
    by_hand: bool = False,
    ignore_candidate: bool = False,
) -> Any:
    """The seats of one profile with `verdict`, such as "no:active" or "propose:idle", see `reasons.as_verdict`.

    `vouched_from`, `unused_since` and `began` come with it: V, and B of the specification. `by_hand`: as if a person
    proposed it. `ignore_candidate`: as if there were no open candidate.
    """
    described = seats.annotate(
        vouched_from=standing.knowledge.vouched_from(), unused_since=standing.knowledge.unused_since(), began=BEGAN
    )
    verdict = judge_seats(standing, rules, by_hand=by_hand, ignore_candidate=ignore_candidate)
    return described.annotate(verdict=verdict)


def with_notes(seats: Any) -> Any:
    """The seats of `with_verdicts` with a flag for each of `reasons.Note` that can be true of a proposal.

    Whether the note belongs to the seat's reason is for `notes_for` to say.
    """
    zone = timezone.get_current_timezone()
    left_on = F("match__person__left_on")
    days = {name: TruncDate(name, tzinfo=zone) for name in ("last_activity__at", "restored_at", "returned_at")}
    after = {f"{name.split('__')[0]}_on": day for name, day in days.items()}
    return seats.annotate(**after).annotate(
        note_no_user=Case(When(match=None, then=Value(True)), default=Value(False)),
        note_idle_at_least=Case(When(vouched_from__gt=F("last_activity__at"), then=Value(True)), default=Value(False)),
        note_active_after_leaving=Case(When(last_activity_on__gt=left_on, then=Value(True)), default=Value(False)),
        note_came_back=Case(
            When(Q(restored_at_on__gt=left_on) | Q(returned_at_on__gt=left_on), then=Value(True)), default=Value(False)
        ),
    )


BY_REASON = {
    Reason.LEAVER: (Note.ACTIVE_AFTER_LEAVING, Note.CAME_BACK),
    Reason.SUSPENDED: (Note.NO_USER, Note.IDLE_AT_LEAST),
    Reason.NEVER_ACTIVE: (Note.NO_USER, Note.IDLE_AT_LEAST),
    Reason.IDLE: (Note.NO_USER, Note.IDLE_AT_LEAST),
}


def notes_for(seat: Any, decision: Decision, reason: Reason) -> list[str]:
    """The notes of a seat of `with_notes`, in the order of the specification."""
    if decision == Decision.NO:
        return []
    if reason == Reason.INVITED:
        return [Note.NO_UNDO.value]
    return [note.value for note in BY_REASON.get(reason, ()) if getattr(seat, f"note_{note.value}")]


def judge_seats(standing: Standing, rules: RuleBook, *, by_hand: bool = False, ignore_candidate: bool = False) -> Case:
    """The verdict, for `annotate` on seats that have `vouched_from` and `began`.

    Here are rows 1 to 7: what holds for proposals by hand, too; and seats without a software model.
    """
    open_ones = RemovalCandidate.objects.open().filter(subscription=OuterRef("pk"))
    whens = [] if ignore_candidate else [When(Exists(open_ones), then=_refused(Reason.OPEN_CANDIDATE))]
    whens += [When(guard.condition, then=_refused(Reason(guard.code))) for guard in guards.GUARDS]
    if by_hand:
        return _case(whens, Value(as_verdict(Decision.PROPOSE, Reason.MANUAL)))
    whens.append(When(identifier__software_model=None, then=_refused(Reason.UNRECOGNIZED)))
    return _case(whens, _judge_by_list(standing, rules))


def _judge_by_list(standing: Standing, rules: RuleBook) -> Any:
    """Rows 8 to 13a: whether the rule is on, how fresh the list is, and what protects a seat whatever the rule says."""
    off = [key for terms, keys in rules.by_rule() if not terms.rule.active for key in keys]
    whens = [When(identifier__in=off, then=_refused(Reason.RULE_OFF))] if off else []
    if standing.has_stale_directory:
        return _case(whens, _refused(Reason.STALE_DIRECTORY))
    today = rules.unwritten.today
    protections = (
        (Q(status__in=(Status.UNKNOWN, Status.REMOVED)), Reason.STATUS_UNKNOWN),
        (Q(consumes_license=False), Reason.NO_LICENSE),
        (guards.is_exempt(today), Reason.EXEMPT),
        (Q(is_admin=True), Reason.ADMIN),
        (guards.is_kept(today), Reason.KEPT),
    )
    whens += [When(condition, then=_refused(reason)) for condition, reason in protections]
    for terms, keys in rules.by_rule():
        if terms.rule.active:
            whens.append(When(identifier__in=keys, then=_judge_by_rule(standing, terms)))
    return _case(whens, _judge_by_rule(standing, rules.unwritten))


def _judge_by_rule(standing: Standing, terms: Terms) -> Case:
    """Rows 14 and 15: leavers, and the rule's conditions."""
    whens = []
    if terms.rule.include_leavers:
        whens.append(When(match__person__left_on__lt=terms.today, then=_proposed(terms, Reason.LEAVER)))
    use = _judge_by_use(standing, terms)
    if terms.rule.conditions:
        # What does not match, or has no value, falls through to the default.
        use = _case([When(match_conditions(terms.rule.conditions), then=use)], _refused(Reason.CONDITIONS))
    return _case(whens, use)


def match_conditions(conditions: dict[str, list[Any]]) -> Q:
    """The condition for seats that match one value of every key. A seat without a value matches none."""
    found = Q()
    for key, values in conditions.items():
        found &= Q(**{f"{CONDITION_COLUMNS[key]}__in": [value for value in values if value != ""]})
    return found


def _judge_by_use(standing: Standing, terms: Terms) -> Case:
    """Rows 16a to 20: invitations, use, what was decided lately, and age."""
    rule, since = terms.rule, terms.used_since
    invited, suspended, never = Q(status=Status.INVITED), Q(status=Status.SUSPENDED), Q(last_activity=None)
    recent, new = Q(began__gte=terms.invited_since), Q(began__gte=terms.too_new_since)
    restored = Q(restored_at__gte=since) | Q(returned_at__gte=since)
    rows = [
        (not rule.include_invited, invited, _refused(Reason.INVITED)),
        (True, invited & recent, _refused(Reason.INVITATION_RECENT)),
        (True, invited, _proposed(terms, Reason.INVITED)),
        (True, Q(last_activity__at__gte=since), _refused(Reason.ACTIVE)),
        (True, restored, _refused(Reason.RESTORED)),
        (not rule.include_suspended, suspended, _refused(Reason.SUSPENDED)),
        (True, suspended & Q(suspended_at__gte=since), _refused(Reason.SUSPENDED_RECENTLY)),
        (True, new | never & Q(began__gte=terms.never_used_since), _refused(Reason.TOO_NEW)),
        (not rule.include_never_active, never, _refused(Reason.NEVER_ACTIVE)),
    ]
    return _case([When(q, then=then) for applies, q, then in rows if applies], _judge_by_coverage(standing, terms))


def _judge_by_coverage(standing: Standing, terms: Terms) -> Any:
    """Rows 21 to 24: whether what was read proves anything, and what the seat is proposed for."""
    if standing.has_stale_activity:
        return _refused(Reason.STALE_ACTIVITY)
    whens = [
        When(vouched_from=None, then=_refused(Reason.STALE_ACTIVITY)),
        When(vouched_from__gt=terms.used_since, then=_refused(Reason.GAP)),
    ]
    if standing.has_weak_signal and not terms.rule.logins_are_enough:
        return _case(whens, _refused(Reason.WEAK_SIGNAL))
    whens += [
        When(status=Status.SUSPENDED, then=_proposed(terms, Reason.SUSPENDED)),
        When(last_activity=None, then=_proposed(terms, Reason.NEVER_ACTIVE)),
    ]
    return _case(whens, _proposed(terms, Reason.IDLE))


def _refused(reason: Reason) -> Value:
    return Value(as_verdict(Decision.NO, reason), output_field=TEXT)


def _proposed(terms: Terms, reason: Reason) -> Value:
    return Value(as_verdict(terms.decision, reason), output_field=TEXT)


def _case(whens: list[When], default: Any) -> Case:
    return Case(*whens, default=default, output_field=TEXT)
