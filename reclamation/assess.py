"""Is a seat proposed, and why not? The answer for one seat in Python, with all that it rests on.

`verdicts` gives the same answer in SQL for all seats of a profile. The rows of the specification's section 4 are asked
in their order; the first that applies decides. A test compares both on a thousand random facts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from reclamation import guards, terms as terms_of_rules
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.reasons import Decision, Note, Reason
from reclamation.terms import Standing, Terms
from reclamation.verdicts import PERSON_COLUMNS
from subscriptions.activity import last_used
from subscriptions.models import Subscription

Answer = tuple[Decision, Reason]


@dataclass(frozen=True)
class SeatFacts:
    """What is known of a seat. `seat` was read with its relations and the idle facts of `last_used`.

    `last_use`, `covered_since`, `began` and `restored` are L, V, B of the specification, and the later of both ways to
    come back. `left_on` is the last day of its user.
    """

    seat: Any
    guard: str
    is_proposed: bool
    is_exempt: bool
    by_hand: bool
    person: Any | None
    last_use: datetime | None
    covered_since: datetime | None
    began: datetime
    restored: datetime | None

    @property
    def left_on(self) -> date | None:
        return self.person.left_on if self.person else None


@dataclass(frozen=True)
class Explanation:
    """The one decision and reason of a seat, its notes, and the facts behind them.

    `inactive_days` is None unless it is exactly known. `used_since` (W), `covered_since` (V), `covered_until` (U),
    `last_use` (L) and `began` (B) are moments.
    """

    decision: Decision
    reason: Reason
    notes: tuple[str, ...]
    inactive_days: int | None
    rule: ReclamationRule
    used_since: datetime
    covered_since: datetime | None
    covered_until: datetime | None
    last_use: datetime | None
    began: datetime
    seat: Any


def explain(seat_pk: int, now: datetime, *, by_hand: bool = False, ignore_candidate: bool = False) -> Explanation:
    """Why the seat is proposed now or not. Raises Subscription.DoesNotExist.

    `by_hand`: as if a person proposed it. `ignore_candidate`: as if it had no open candidate.
    """
    related = ("profile", "identifier__software_model", "match__person", "last_activity")
    open_ones = RemovalCandidate.objects.open().filter(subscription=OuterRef("pk"))
    described = Subscription.objects.select_related(*related).annotate(
        guard=guards.first_failing(),
        is_proposed=Exists(open_ones),
        is_exempt=guards.is_exempt(timezone.localtime(now).date()),
    )
    seat = last_used.with_idle_facts(described, now).get(pk=seat_pk)
    standing = Standing.of_profile(seat.profile, now)
    rules = terms_of_rules.read_rules(seat.profile, now)
    terms = rules.terms_for(seat.identifier)
    facts = _read_facts(seat, is_proposed=seat.is_proposed and not ignore_candidate, by_hand=by_hand)
    decision, reason = decide(facts, standing, terms)
    idle = last_used.idle(seat, now)
    return Explanation(
        decision=decision,
        reason=reason,
        notes=tuple(_notes(facts, decision, reason)),
        inactive_days=idle.days if idle and idle.is_exact and not idle.never_used else None,
        rule=terms.rule,
        used_since=terms.used_since,
        covered_since=facts.covered_since,
        covered_until=standing.covered_until if facts.covered_since else None,
        last_use=facts.last_use,
        began=facts.began,
        seat=seat,
    )


def _read_facts(seat: Any, *, is_proposed: bool, by_hand: bool) -> SeatFacts:
    """The facts of a seat that was read with its relations and all annotations of `explain`."""
    latest = getattr(seat, "last_activity", None)
    match = getattr(seat, "match", None)
    return SeatFacts(
        seat=seat,
        guard=seat.guard,
        is_proposed=is_proposed,
        is_exempt=seat.is_exempt,
        by_hand=by_hand,
        person=match.person if match else None,
        last_use=latest.at if latest else None,
        covered_since=seat.vouched_from,
        began=seat.assigned_at or seat.invited_at or seat.first_seen_at,
        restored=max(filter(None, (seat.restored_at, seat.returned_at)), default=None),
    )


def decide(facts: SeatFacts, standing: Standing, terms: Terms) -> Answer:
    """The decision and the reason: the answer of the first row that has one."""
    found = (ask(facts, standing, terms) for ask in QUESTIONS)
    return next(answer for answer in found if answer)


def _ask_guards(facts: SeatFacts, standing: Standing, terms: Terms) -> Answer | None:
    """Rows 1 to 8."""
    if facts.is_proposed:
        return Decision.NO, Reason.OPEN_CANDIDATE
    if facts.guard:
        return Decision.NO, Reason(facts.guard)
    if facts.by_hand:
        return Decision.PROPOSE, Reason.MANUAL
    if facts.seat.identifier.software_model_id is None:
        return Decision.NO, Reason.UNRECOGNIZED
    return None if terms.rule.active else (Decision.NO, Reason.RULE_OFF)


def _ask_list(facts: SeatFacts, standing: Standing, terms: Terms) -> Answer | None:
    """Rows 9 to 13a."""
    seat = facts.seat
    if standing.has_stale_directory:
        return Decision.NO, Reason.STALE_DIRECTORY
    if seat.status in (Subscription.Status.UNKNOWN, Subscription.Status.REMOVED):
        return Decision.NO, Reason.STATUS_UNKNOWN
    if not seat.consumes_license:
        return Decision.NO, Reason.NO_LICENSE
    if facts.is_exempt:
        return Decision.NO, Reason.EXEMPT
    if seat.is_admin:
        return Decision.NO, Reason.ADMIN
    is_kept = seat.keep_until is not None and seat.keep_until >= terms.today
    return (Decision.NO, Reason.KEPT) if is_kept else None


def _ask_leaver(facts: SeatFacts, standing: Standing, terms: Terms) -> Answer | None:
    """Rows 14 and 15. The last day is a day of work; a leaver is asked for no condition."""
    if terms.rule.include_leavers and facts.left_on is not None and facts.left_on < terms.today:
        return terms.decision, Reason.LEAVER
    matches = all(_value_of(facts, key) in values for key, values in terms.rule.conditions.items())
    return None if matches else (Decision.NO, Reason.CONDITIONS)


def _value_of(facts: SeatFacts, key: str) -> Any:
    """The seat's value for a condition; None, which nobody can choose, if it has none."""
    if key in PERSON_COLUMNS:
        return (getattr(facts.person, key) or None) if facts.person else None
    return facts.seat.profile_id if key == "profile" else facts.seat.identifier.identifier


def _ask_invitation(facts: SeatFacts, standing: Standing, terms: Terms) -> Answer | None:
    """Rows 16a and 16b."""
    if facts.seat.status != Subscription.Status.INVITED:
        return None
    if not terms.rule.include_invited:
        return Decision.NO, Reason.INVITED
    if facts.began >= terms.invited_since:
        return Decision.NO, Reason.INVITATION_RECENT
    return terms.decision, Reason.INVITED


def _ask_use(facts: SeatFacts, standing: Standing, terms: Terms) -> Answer | None:
    """Rows 17a to 20."""
    seat, rule = facts.seat, terms.rule
    if facts.last_use is not None and facts.last_use >= terms.used_since:
        return Decision.NO, Reason.ACTIVE
    if facts.restored is not None and facts.restored >= terms.used_since:
        return Decision.NO, Reason.RESTORED
    if seat.status == Subscription.Status.SUSPENDED:
        if not rule.include_suspended:
            return Decision.NO, Reason.SUSPENDED
        if seat.suspended_at is not None and seat.suspended_at >= terms.used_since:
            return Decision.NO, Reason.SUSPENDED_RECENTLY
    if facts.began >= (terms.never_used_since if facts.last_use is None else terms.too_new_since):
        return Decision.NO, Reason.TOO_NEW
    refuses_unused = facts.last_use is None and not rule.include_never_active
    return (Decision.NO, Reason.NEVER_ACTIVE) if refuses_unused else None


def _ask_coverage(facts: SeatFacts, standing: Standing, terms: Terms) -> Answer:
    """Rows 21 to 24."""
    if facts.covered_since is None or standing.has_stale_activity:
        return Decision.NO, Reason.STALE_ACTIVITY
    if facts.covered_since > terms.used_since:
        return Decision.NO, Reason.GAP
    if standing.has_weak_signal and not terms.rule.logins_are_enough:
        return Decision.NO, Reason.WEAK_SIGNAL
    if facts.seat.status == Subscription.Status.SUSPENDED:
        return terms.decision, Reason.SUSPENDED
    return terms.decision, Reason.NEVER_ACTIVE if facts.last_use is None else Reason.IDLE


QUESTIONS: tuple[Callable[[SeatFacts, Standing, Terms], Answer | None], ...] = (
    *(_ask_guards, _ask_list, _ask_leaver, _ask_invitation, _ask_use, _ask_coverage),
)


def _notes(facts: SeatFacts, decision: Decision, reason: Reason) -> list[str]:
    """What a person should know of a proposal besides its reason."""
    if decision == Decision.NO or reason == Reason.MANUAL:
        return []
    if reason == Reason.INVITED:
        return [Note.NO_UNDO.value]
    if reason == Reason.LEAVER:
        known = {Note.ACTIVE_AFTER_LEAVING: facts.last_use, Note.CAME_BACK: facts.restored}
        return [note.value for note, moment in known.items() if _is_after(moment, facts.left_on)]
    notes = [] if facts.person else [Note.NO_USER.value]
    starts_inside = facts.last_use is not None and facts.covered_since is not None
    if starts_inside and facts.covered_since > facts.last_use:  # type: ignore[operator]
        notes.append(Note.IDLE_AT_LEAST.value)
    return notes


def _is_after(moment: datetime | None, day: date | None) -> bool:
    return moment is not None and day is not None and timezone.localtime(moment).date() > day
