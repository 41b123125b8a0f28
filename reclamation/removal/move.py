"""After the undo window: move the files of a removed member to the account that receives them, and close.

1. Look: a member that is back was restored at the vendor, and nothing is moved.
2. Take the slot of the destination. One transfer per destination goes on at a time, which a unique index holds.
3. Commit the intent, then call once. Without an answer it may have begun, and it is never called again by itself.
4. The vendor's log says when the files are there; without that word, ten minutes after the end of its job.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from reclamation import attempts
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.removal import call, destination, limits, outcome, refusals, switch
from reclamation.removal.gate import member
from reclamation.removal.vendor import VendorAccess
from samsaas import audit

State, MovedBy = RemovalAttempt.State, RemovalAttempt.MovedBy
SLOT_BUSY = timedelta(minutes=1)
HOLD = timedelta(minutes=15)
BEFORE_CALL = timedelta(minutes=5)  # the vendor's clock may differ from ours
LATE_EVENTS = timedelta(hours=72)
POLL_AGAIN = timedelta(seconds=30)
PATIENCE = timedelta(hours=24)
NO_ANSWER = "Nobody knows after 24 hours whether the files were moved. They are not moved again without a person."
NOBODY = "Nobody is known who could receive the files."
CANDIDATE = "The account that would receive the files is a removal candidate itself."
ITSELF = "The files would go to the account that was removed."
REMEDY = "Choose another account for the files. They stay at the vendor for as long as it keeps versions."


class NotMovable(Exception):
    """The files are being moved already, or the member was restored. The text says which."""


def request_now(attempt: RemovalAttempt, *, by: User, now: datetime) -> None:
    """End the undo window of a removed member: its files are moved by the next run. Raises `NotMovable`."""
    if attempt.state != State.REMOVED:
        raise NotMovable(f"It is not waiting for the end of its undo window: {attempt.get_state_display()}.")
    try:
        with transaction.atomic():
            attempts.seize_in_place(attempt, move_after=now, not_before=None)
            audit.record(by, "ended undo window", attempt.candidate, account=attempt.external_id)
    except attempts.Lost:
        raise NotMovable("Somebody else decided first.") from None


def start(attempt: RemovalAttempt, vendor: VendorAccess, run: JobRun) -> None:
    """Look at a removed member whose undo window is over, and have its files moved. Raises `attempts.Lost`."""
    now = timezone.now()
    where = destination.find(attempt)
    looks = vendor.look([attempt.external_id, *filter(None, (where.external_id, where.transfer_admin))])
    look = looks[attempt.external_id]
    if check_restored(attempt, look):
        return
    if attempt.move_after and attempt.move_after > now:
        attempts.release(attempt, not_before=None)
    elif look.state not in ("withdrawn", "gone") or _must_wait(attempt, vendor):
        attempts.release(attempt, not_before=now + HOLD)
    elif problem := _problem(attempt, where, looks):
        call.need_human(attempt, base.Refused(problem, remedy=REMEDY), now)
    elif _take_slot(attempt, where, now):
        _call(attempt, where, vendor, run)


def check_restored(attempt: RemovalAttempt, look: base.Look) -> bool:
    """Whether the member is back although nobody here restored it; then the attempt ends. Raises `attempts.Lost`."""
    if look.state != "present" or look.seat is None:
        return False
    there = RemovalAttempt.RestoredWhere.VENDOR
    outcome.record_restored(attempt, where=there, status=look.seat.status, at=timezone.now())
    return True


def _must_wait(attempt: RemovalAttempt, vendor: VendorAccess) -> bool:
    """Whether the switch is pressed, or the profile belongs to another team for now."""
    return bool(switch.paused_because(attempt.profile)) or vendor.team().team_ids != {attempt.team_id}


def _problem(attempt: RemovalAttempt, where: destination.Destination, looks: dict[str, base.Look]) -> str:
    if not where.external_id or not where.transfer_admin:
        return NOBODY
    if attempt.external_id in (where.external_id, where.transfer_admin):
        return ITSELF
    if _is_candidate(attempt, where.external_id):
        return CANDIDATE
    receiver = member.receiver_problem(looks.get(where.external_id))
    return receiver or member.admin_problem(looks.get(where.transfer_admin))


def _is_candidate(attempt: RemovalAttempt, external_id: str) -> bool:
    """Whether the account that receives the files is about to be removed itself."""
    team = limits.profiles_of_team(attempt.profile) if attempt.profile else []
    return RemovalCandidate.objects.open().filter(profile__in=team, external_id=external_id).exists()


def _take_slot(attempt: RemovalAttempt, where: destination.Destination, now: datetime) -> bool:
    """Commit the intent to move. False where another transfer to the same account goes on."""
    changes = {
        "destination_external_id": where.external_id,
        "transfer_admin_external_id": where.transfer_admin,
        "move_intent_at": now,
        "move_called_at": now,
        "move_job_id": "",
        "move_job_done_at": None,
        "not_before": None,
    }
    before = attempt.destination_external_id
    try:
        with transaction.atomic():
            attempts.move(attempt, State.MOVING, keep=True, **changes)
    except IntegrityError:
        attempt.destination_external_id = before
        attempts.release(attempt, not_before=now + SLOT_BUSY)
        return False
    return True


def _call(attempt: RemovalAttempt, where: destination.Destination, vendor: VendorAccess, run: JobRun) -> None:
    try:
        effect = vendor.acting.finish(
            attempt.external_id, destination=where.external_id, transfer_admin=where.transfer_admin
        )
    except refusals.LOST as error:
        attempts.release(attempt, not_before=timezone.now() + POLL_AGAIN, **attempts.describe_error(error))
    except base.Refused as error:
        _store_refusal(attempt, error)
    except (base.MissingScope, base.ProtocolError) as error:  # only a person can make the next call succeed
        call.need_human(attempt, error, timezone.now())
    except base.ConnectorError as error:  # nothing was sent, or the vendor did not begin
        _give_up_slot(attempt, error, call.TRY_AGAIN)
    else:
        _store_effect(attempt, effect)


def _store_effect(attempt: RemovalAttempt, effect: base.Effect) -> None:
    now = timezone.now()
    done = {"move_job_done_at": now} if effect.state == "done" else {"move_job_id": effect.job[:255]}
    named = {"move_request_id": effect.request_id[:120]}
    attempts.release(attempt, not_before=now + POLL_AGAIN, **attempts.NO_ERROR, **named, **done)


def _store_refusal(attempt: RemovalAttempt, error: base.Refused) -> None:
    """The slot opens. The member stays removed, and its files stay at the vendor."""
    now = timezone.now()
    if refusals.meaning_of(error) in (refusals.BUSY, refusals.NOT_REMOVED):  # the next look says which
        _give_up_slot(attempt, error, HOLD)
    else:
        call.need_human(attempt, error, now)


def _give_up_slot(attempt: RemovalAttempt, error: base.ConnectorError, pause: timedelta) -> None:
    """Nothing happened: removed as before, to be moved later. Raises `attempts.Lost`."""
    changes = {"move_intent_at": None, "move_called_at": None, "not_before": timezone.now() + pause}
    attempts.move(attempt, State.REMOVED, keep=False, **changes, **attempts.describe_error(error))


def follow(attempt: RemovalAttempt, vendor: VendorAccess, run: JobRun) -> None:
    """See whether the files have arrived. Raises `attempts.Lost` and `base.ConnectorError`."""
    now = timezone.now()
    began = attempt.move_called_at or now
    if attempt.external_id in vendor.looking.finished([attempt.external_id], began - BEFORE_CALL):
        outcome.finish(attempt, run=run, at=now, moved_at=now, moved_by=MovedBy.EVENT)
    elif attempt.move_job_done_at is not None:
        if now - attempt.move_job_done_at >= destination.TRANSFER_TIME:
            outcome.finish(attempt, run=run, at=now, moved_at=now, moved_by=MovedBy.TIME)
        else:
            attempts.release(attempt, not_before=now + POLL_AGAIN)
    elif attempt.move_job_id:
        _poll(attempt, vendor, now)
    else:
        _wait_or_give_up(attempt, now)


def _poll(attempt: RemovalAttempt, vendor: VendorAccess, now: datetime) -> None:
    try:
        effect = vendor.acting.ask("finish", attempt.move_job_id)
    except base.AnswerLost:  # the vendor lost the job, so only its log can tell
        attempts.release(attempt, move_job_id="", not_before=now + POLL_AGAIN)
        return
    except (base.Refused, base.ProtocolError) as error:
        call.need_human(attempt, error, now)
        return
    if effect.state == "done":
        attempts.release(attempt, move_job_done_at=now, not_before=now + POLL_AGAIN)
    else:
        _wait_or_give_up(attempt, now)


def _wait_or_give_up(attempt: RemovalAttempt, now: datetime) -> None:
    if now - (attempt.move_called_at or now) > PATIENCE:
        call.need_human(attempt, base.AnswerLost(NO_ANSWER, remedy=REMEDY), now)
    else:
        attempts.release(attempt, not_before=now + POLL_AGAIN)


def correct_moved_by(profile: IntegrationProfile, vendor: VendorAccess, *, now: datetime) -> int:
    """The log's word on moves that were closed by time alone, where it came late. Returns how many.

    Asked once in a run, and nothing where no move was closed so in the last days. Raises `base.ConnectorError`.
    """
    by_time = RemovalAttempt.objects.filter(profile=profile, moved_by=MovedBy.TIME, moved_at__gt=now - LATE_EVENTS)
    keys = dict(by_time.order_by("pk").values_list("external_id", "pk"))
    if not keys:
        return 0
    began = min(by_time.values_list("move_called_at", flat=True), key=lambda at: at or now) or now
    told = vendor.looking.finished(list(keys), began - BEFORE_CALL)
    return attempts.note_event([keys[name] for name in told])
