"""The only code that changes the state of a removal candidate. It allows only the moves in `states.MOVES`, each once.

Every function writes the candidate, its history and the audit trail in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation import attempts, open_questions
from reclamation.models import ReclamationRule, RemovalAttempt, RemovalCandidate, RuleVersion, StateChange
from reclamation.states import CLOSED, MOVES, State
from samsaas import audit
from samsaas.lib import sql
from subscriptions.models import Subscription
from subscriptions.models.person import has_left

CANDIDATES = RemovalCandidate._meta.db_table
HISTORY = StateChange._meta.db_table
BEFORE_ASKING = (State.READY, State.ATTENTION_REQUIRED)
ASKED = (State.AWAITING_USER, State.AWAITING_APPROVAL, State.AWAITING_REVOCATION)


class NotAllowed(Exception):
    """The candidate cannot move to this state from the state it is in now. Nothing was written."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A seat, read with its profile, model and match, and why a candidate is opened for it.

    `attention` says what a person has to mend first; with it the candidate begins as Attention Required, else as Ready.
    """

    seat: Subscription
    reason: str
    evidence: dict[str, Any]
    justification: str = RemovalCandidate.Justification.LOW_USAGE
    note: str = ""
    attention: str = ""
    rule: ReclamationRule | None = None
    rule_version_id: int | None = None

    @property
    def state(self) -> State:
        return State.ATTENTION_REQUIRED if self.attention else State.READY

    def as_candidate(self, *, by: User | None, now: datetime) -> RemovalCandidate:
        """The candidate, unsaved. What a reader needs of the seat, its user and its profile is copied."""
        seat = self.seat
        person = seat.match.person if hasattr(seat, "match") else None
        return RemovalCandidate(
            subscription=seat,
            profile=seat.profile,
            profile_name=seat.profile.display_name,
            display_name=seat.display_name,
            email=seat.email,
            external_id=seat.external_id,
            software_model=str(seat.identifier.software_model or ""),
            rule=self.rule,
            rule_version_id=self.rule_version_id,
            reason=self.reason,
            person_name=person.name if person else "",
            is_leaver=has_left(person.left_on if person else None, timezone.localtime(now).date()),
            justification=self.justification,
            note=self.note,
            state=self.state,
            attention=self.attention,
            evidence=self.evidence,
            status_at_opening=seat.status,
            was_admin=seat.is_admin,
            opened_at=now,
            opened_by=by,
        )

    def first_change(self, candidate: RemovalCandidate) -> StateChange:
        """The first line of the candidate's history, unsaved."""
        return StateChange(
            candidate=candidate,
            to_state=self.state,
            at=candidate.opened_at,
            by=candidate.opened_by,
            reason=self.attention,
        )


@transaction.atomic
def open_for(opening: Opening, *, by: User | None, now: datetime) -> RemovalCandidate:
    """Open a candidate. Raises IntegrityError if the seat already has an open one."""
    candidate = opening.as_candidate(by=by, now=now)
    candidate.save()
    opening.first_change(candidate).save()
    audit.record(by, "opened removal candidate", candidate, justification=candidate.get_justification_display())
    return candidate


def apply(candidate: RemovalCandidate, to: State, *, reason: str, now: datetime) -> None:
    """Move the candidate because of what the data says, without a person. Raises `NotAllowed`.

    While it needs attention, it keeps the reason, so that a later look can tell whether that is over. Another reason
    for the same state is no move.
    """
    if to == candidate.state == State.ATTENTION_REQUIRED:
        RemovalCandidate.objects.filter(pk=candidate.pk, state=to).update(attention=reason)
        audit.record(None, "noted on removal candidate", candidate, reason=reason)
        return
    attention = reason if to == State.ATTENTION_REQUIRED else ""
    _move_to(candidate, to, reason=reason, by=None, now=now, attention=attention)


@transaction.atomic
def skip(candidate: RemovalCandidate, *, reason: str, by: User, now: datetime, keep_until: date | None = None) -> None:
    """Close the candidate without removing the seat: Closed Skipped. Raises `NotAllowed`.

    The seat is not proposed again until the day `keep_until` is over.
    """
    _move_to(candidate, State.CLOSED_SKIPPED, reason=reason, by=by, now=now)
    if keep_until is not None:
        keep_seat(candidate, until=keep_until, by=by)


@transaction.atomic
def skip_all(profile: IntegrationProfile, *, reason: str, by: User, now: datetime) -> int:
    """Close all open candidates of a profile whose seats are deleted: Closed Skipped. Returns how many."""
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    sql.execute(
        f"INSERT INTO {HISTORY} (candidate_id, from_state, to_state, at, by_id, reason) "  # noqa: S608 - tables of ours
        f"SELECT id, state, %s, %s, %s, %s FROM {CANDIDATES} WHERE profile_id = %s AND closed_at IS NULL{lock}",
        [State.CLOSED_SKIPPED, connection.ops.adapt_datetimefield_value(now), by.pk, reason, profile.pk],
    )
    rows = RemovalCandidate.objects.filter(profile=profile).open()
    open_questions.end(list(rows.filter(state__in=open_questions.ENDS).only("pk", "state")), now=now)
    skipped = rows.update(state=State.CLOSED_SKIPPED, closed_at=now, subscription=None)
    if skipped:
        audit.record(by, "skipped removal candidates", profile, candidates=skipped, reason=reason)
    return skipped


@transaction.atomic
def _move_to(
    candidate: RemovalCandidate,
    to: State,
    *,
    reason: str,
    by: User | None,
    now: datetime,
    attention: str = "",
    only_if: Q | None = None,
    also: dict[str, Any] | None = None,
) -> None:
    """Move a candidate to another state, and write what goes with it. Raises `NotAllowed`, and writes nothing then.

    That is also so if somebody else has moved it since it was read, or if `only_if` does not hold at this moment.
    """
    before = State(candidate.state)
    if to not in MOVES[before]:
        raise NotAllowed
    same = RemovalCandidate.objects.filter(only_if or Q(), pk=candidate.pk, state=before)
    values = {"closed_at": now if to in CLOSED else None, "attention": attention, "hold": "", "hold_text": ""}
    if not same.update(state=to, **values, **(also or {})):
        raise NotAllowed
    open_questions.end([candidate], now=now)
    if before in BEFORE_ASKING and to in ASKED:
        _note_version(candidate)
    if to in CLOSED:
        _end_attempts(candidate, now)
    StateChange.objects.create(candidate=candidate, from_state=before, to_state=to, at=now, by=by, reason=reason)
    audit.record(by, "moved removal candidate", candidate, before=before.label, after=to.label, reason=reason)


def _note_version(candidate: RemovalCandidate) -> None:
    """Keep the version of the rule under which somebody is asked now. The candidate goes on with it."""
    if candidate.rule_id is None:
        return
    newest = RuleVersion.objects.filter(rule=candidate.rule_id).order_by("-version").values_list("pk", flat=True)
    candidate.rule_version_id = newest.first()
    RemovalCandidate.objects.filter(pk=candidate.pk).update(rule_version=candidate.rule_version_id)


@transaction.atomic
def open_found(profile: IntegrationProfile, openings: Sequence[Opening], *, now: datetime) -> int:
    """Open the candidates of a find, with one line in the audit trail. Returns how many.

    The caller has locked the seats and seen that none has an open candidate. Raises IntegrityError if one has.
    """
    made = _insert_opened(openings, by=None, now=now)
    if made:
        audit.record(
            None, "opened removal candidates", profile, candidates=len(made), first=made[0].number, last=made[-1].number
        )
    return len(made)


@transaction.atomic
def open_proposed(openings: Sequence[Opening], *, by: User, now: datetime) -> Sequence[RemovalCandidate]:
    """Open the candidates that a person proposes at once, each with its line in the audit trail, as `open_for` does.

    As `open_found` of locked seats.
    """
    made = _insert_opened(openings, by=by, now=now)
    lines = ((one, {"justification": one.get_justification_display()}) for one in made)
    audit.record_many(by, "opened removal candidate", lines)
    return made


def _insert_opened(openings: Sequence[Opening], *, by: User | None, now: datetime) -> Sequence[RemovalCandidate]:
    made = RemovalCandidate.objects.bulk_create([one.as_candidate(by=by, now=now) for one in openings])
    pairs = zip(openings, made, strict=True)
    StateChange.objects.bulk_create(opening.first_change(candidate) for opening, candidate in pairs)
    return made


def keep_seat(candidate: RemovalCandidate, *, until: date, by: User | None) -> None:
    """A decision lasts: the account is left alone until this day, in every profile of its team. A longer one stays."""
    own, profile = Q(removal_candidates=candidate), candidate.profile
    if profile is not None and profile.team_id:
        own |= Q(profile__vendor=profile.vendor, profile__team_id=profile.team_id, external_id=candidate.external_id)
    seats = Subscription.objects.filter(own).filter(Q(keep_until=None) | Q(keep_until__lt=until))
    if Subscription.objects.filter(pk__in=list(seats.values_list("pk", flat=True))).update(keep_until=until):
        audit.record(by, "kept subscription", candidate, until=until.isoformat())


def stay_with_rule(candidate: RemovalCandidate, rule_id: int, version_id: int) -> None:
    """Note that a candidate nobody was asked about qualifies under this version of a rule, too."""
    same = RemovalCandidate.objects.filter(pk=candidate.pk, state__in=BEFORE_ASKING)
    same.update(rule=rule_id, rule_version=version_id)


def _end_attempts(candidate: RemovalCandidate, now: datetime) -> None:
    """A closed candidate has no attempt that could still call the vendor. One that has called it keeps it open."""
    try:
        attempts.end_unsent(candidate, now=now)
    except attempts.UnderWay:
        raise NotAllowed from None


def ask_user(
    candidate: RemovalCandidate, *, person_key: str, email: str, by: User | None, now: datetime, reason: str
) -> None:
    """Ready → Awaiting User. The time to answer begins when the question has been sent. Raises `NotAllowed`.

    Whom the question is for is noted: silence counts as long as it is theirs.
    """
    asked = {"person_key": person_key, "email": email, "deadline": None, "after_notice": False}
    _go(candidate, State.AWAITING_USER, reason=reason, by=by, now=now, also=asked)


def answer_keep(candidate: RemovalCandidate, to: State, *, reason: str, now: datetime) -> None:
    """The user keeps it: from Awaiting User on, unless their time is over. Raises `NotAllowed`, also then."""
    in_time = Q(deadline=None) | Q(deadline__gte=now)
    _go(candidate, to, reason=reason, by=None, now=now, only_if=in_time)


def end_silence(candidate: RemovalCandidate, to: State, *, reason: str, now: datetime) -> None:
    """The user's time is over: from Awaiting User on. Raises `NotAllowed`, also if somebody has given more time."""
    over = Q(deadline__lt=now)
    attention = reason if to == State.ATTENTION_REQUIRED else ""
    _go(candidate, to, reason=reason, by=None, now=now, only_if=over, attention=attention)


def ask_approver(candidate: RemovalCandidate, *, reason: str, by: User | None, now: datetime) -> None:
    """Ready → Awaiting Approval. Raises `NotAllowed`."""
    _go(candidate, State.AWAITING_APPROVAL, reason=reason, by=by, now=now)


def follow_approver(candidate: RemovalCandidate, to: State, *, reason: str, by: User, now: datetime) -> None:
    """An approver has decided: from Awaiting Approval on. Raises `NotAllowed`."""
    if candidate.state != State.AWAITING_APPROVAL:
        raise NotAllowed
    _go(candidate, to, reason=reason, by=by, now=now)


def revoke(candidate: RemovalCandidate, *, reason: str, by: User | None, now: datetime) -> None:
    """The seat is to be removed: Awaiting Revocation. One that needed attention becomes Ready on its way.

    Raises `NotAllowed`.
    """
    with transaction.atomic():
        if candidate.state == State.ATTENTION_REQUIRED:
            _go(candidate, State.READY, reason=reason, by=by, now=now)
        _go(candidate, State.AWAITING_REVOCATION, reason=reason, by=by, now=now)


def make_ready(candidate: RemovalCandidate, *, reason: str, by: User, now: datetime, keep_batch: bool = False) -> None:
    """Attention Required → Ready: a person has weighed what samsaas found, and it can be reclaimed anew.

    Where its user is asked again at once, it stays in its batch, with what was confirmed and decided for that. What was
    called about is decided on its attempt. Raises `NotAllowed`.
    """
    if candidate.state != State.ATTENTION_REQUIRED:
        raise NotAllowed
    with transaction.atomic():
        _go(candidate, State.READY, reason=reason, by=by, now=now)
        _end_attempts(candidate, now)
        if not keep_batch:
            RemovalCandidate.objects.filter(pk=candidate.pk).update(batch=None)


def need_attention(candidate: RemovalCandidate, *, reason: str, now: datetime) -> None:
    """A person has to look at the candidate. Raises `NotAllowed`."""
    with transaction.atomic():
        apply(candidate, State.ATTENTION_REQUIRED, reason=reason[:200], now=now)
        candidate.state = State.ATTENTION_REQUIRED


def close(candidate: RemovalCandidate, to: State, *, reason: str, by: User | None, now: datetime) -> None:
    """Close the candidate as complete, skipped or canceled. Its attempt has ended before. Raises `NotAllowed`."""
    with transaction.atomic():
        if to == State.CLOSED_COMPLETE and candidate.state in (State.ATTENTION_REQUIRED, State.READY):
            revoke(candidate, reason=reason, by=by, now=now)
        _go(candidate, to, reason=reason, by=by, now=now)


def hold(candidate: RemovalCandidate, *, code: str, text: str) -> None:
    """Say why a pending removal waits. That is no state; an empty code says that it does not wait."""
    waiting = RemovalCandidate.objects.filter(pk=candidate.pk, state=State.AWAITING_REVOCATION)
    waiting.exclude(hold=code, hold_text=text[:300]).update(hold=code, hold_text=text[:300])


def _go(candidate: RemovalCandidate, to: State, *, reason: str, by: User | None, now: datetime, **more: Any) -> None:
    """Move the candidate as `_move_to` does, and the row in the caller's hands with it."""
    _move_to(candidate, to, reason=reason[:500], by=by, now=now, **more)
    candidate.state, candidate.closed_at = to, now if to in CLOSED else None


@transaction.atomic
def skip_batch(keys: Sequence[int], *, reason: str, by: User, now: datetime) -> Sequence[RemovalCandidate]:
    """Close those of the candidates that are open and may be: Closed Skipped. Returns them, with rule and profile.

    `keys` is one batch: they are named in one statement. A candidate with an open attempt is closed like a single one.
    """
    related = ("rule", "rule_version__rule", "profile")
    rows = RemovalCandidate.objects.filter(pk__in=keys).open().order_by("pk").select_related(*related)
    opened = RemovalAttempt.objects.filter(candidate=OuterRef("pk"), closed_at=None)
    found = list(rows.annotate(has_attempt=Exists(opened)).select_for_update(no_key=True, of=("self",)))
    plain = [one for one in found if not one.has_attempt]
    open_questions.end(plain, now=now)
    changes = {"closed_at": now, "attention": "", "hold": "", "hold_text": ""}
    RemovalCandidate.objects.filter(pk__in=[one.pk for one in plain]).update(state=State.CLOSED_SKIPPED, **changes)
    moved = {"to_state": State.CLOSED_SKIPPED, "at": now, "by": by, "reason": reason}
    StateChange.objects.bulk_create(StateChange(candidate=one, from_state=one.state, **moved) for one in plain)
    after = {"after": State.CLOSED_SKIPPED.label, "reason": reason}
    audit.record_many(
        by, "moved removal candidate", ((one, {"before": one.get_state_display(), **after}) for one in plain)
    )
    return plain + [one for one in found if one.has_attempt and _skip_single(one, reason, by, now)]


def _skip_single(candidate: RemovalCandidate, reason: str, by: User, now: datetime) -> bool:
    try:
        skip(candidate, reason=reason, by=by, now=now)
    except NotAllowed:
        return False
    return True
