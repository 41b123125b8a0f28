"""Undo a removal: bring the member back while its files have not been moved.

A person's press moves the attempt to *restoring*, unless the move of the files was first. A worker calls the vendor
once. Refused, the attempt is *removed* again, with the vendor's sentence. Without an answer, looks decide.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from profiles.connectors import base
from reclamation import attempts
from reclamation.models import RemovalAttempt
from reclamation.removal import limits, outcome, refusals
from reclamation.removal.vendor import VendorAccess
from samsaas import audit
from subscriptions.models import Subscription

State = RemovalAttempt.State
LOOK_AFTER = timedelta(minutes=5)
TRY_AGAIN = timedelta(minutes=2)
PATIENCE = timedelta(hours=24)
NO_LICENSE = "The team has no free license for the account. Free one or purchase one, then press Restore again."
UNRECOVERABLE = "The vendor says that this account cannot be restored."
NOT_RESTORED = "The vendor did not answer, and the account is not back. Press Restore again."


class NotRestorable(Exception):
    """The attempt cannot be undone any more. The text says why."""


def request(attempt: RemovalAttempt, *, by: User, now: datetime, keep_until: date | None = None) -> None:
    """Ask for the restoring of a removed member; a run does it. Raises `NotRestorable`."""
    if attempt.withdrawn_at is None:
        raise NotRestorable("The account was not removed by samsaas.")
    if attempt.restorable_until is None or attempt.restorable_until <= now:
        raise NotRestorable("The vendor cannot restore this account any more.")
    try:
        with transaction.atomic():
            attempts.seize(attempt, State.RESTORING, restored_by=by, restore_intent_at=None, not_before=None)
            if keep_until:
                profiles = limits.profiles_of_team(attempt.profile) if attempt.profile else []
                seats = Subscription.objects.filter(profile__in=profiles, external_id=attempt.external_id)
                seats.update(keep_until=keep_until)
            audit.record(by, "asked to restore account", attempt.candidate, account=attempt.external_id)
    except attempts.Lost:
        raise NotRestorable("Its files are being moved, or somebody else decided first.") from None


def run(attempt: RemovalAttempt, vendor: VendorAccess) -> None:
    """Restore the member, or look at what became of a call before. Raises `attempts.Lost` and `base.ConnectorError`."""
    if attempt.restore_intent_at is not None:
        _look(attempt, vendor)
        return
    attempts.note(attempt, restore_intent_at=timezone.now())
    try:
        effect = vendor.acting.restore(attempt.external_id)
    except refusals.LOST as error:
        after = timezone.now() + LOOK_AFTER
        attempts.release(attempt, not_before=after, **attempts.describe_error(error))
        return
    except base.ConnectorError as error:
        _store_refusal(attempt, error)
        return
    attempts.note(attempt, restore_request_id=effect.request_id[:120])
    if effect.state == "done":
        _store_restored(attempt, vendor)
    else:
        attempts.release(attempt, not_before=timezone.now() + LOOK_AFTER)


def _store_refusal(attempt: RemovalAttempt, error: base.ConnectorError) -> None:
    """Nothing happened: removed as before, with the sentence for people. Raises `attempts.Lost`."""
    texts = {refusals.NO_LICENSE: NO_LICENSE, refusals.UNRECOVERABLE: UNRECOVERABLE}
    meaning = refusals.meaning_of(error) if isinstance(error, base.Refused) else ""
    changes = {**attempts.describe_error(error), "restore_intent_at": None}
    if meaning in texts:
        changes["error_message"] = texts[meaning]
    attempts.move(attempt, State.REMOVED, **changes)


def _store_restored(attempt: RemovalAttempt, vendor: VendorAccess) -> None:
    """The vendor restored it. What it is now, the next listing says if the vendor cannot be asked."""
    try:
        look = vendor.look([attempt.external_id]).get(attempt.external_id)
    except base.ConnectorError:
        look = None
    status = look.seat.status if look and look.state == "present" and look.seat else Subscription.Status.ACTIVE
    here = RemovalAttempt.RestoredWhere.HERE
    outcome.record_restored(attempt, where=here, status=status, at=timezone.now(), by=attempt.restored_by)


def _look(attempt: RemovalAttempt, vendor: VendorAccess) -> None:
    look = vendor.look([attempt.external_id]).get(attempt.external_id)
    now = timezone.now()
    if look and look.state == "present" and look.seat:
        here = RemovalAttempt.RestoredWhere.HERE
        outcome.record_restored(attempt, where=here, status=look.seat.status, at=now, by=attempt.restored_by)
    elif now - (attempt.restore_intent_at or now) < LOOK_AFTER:
        attempts.release(attempt, not_before=now + LOOK_AFTER)
    else:
        attempts.move(attempt, State.REMOVED, restore_intent_at=None, error_message=NOT_RESTORED)
