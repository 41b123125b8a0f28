"""The states of remedies. Only this module and the publishing of a newer position change them.

new → in progress → complete | completed with errors; → void, where something else has made it pointless.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from samsaas import audit
from subscriptions.models import Entitlement, RemediationOption

State, Kind = RemediationOption.State, RemediationOption.Kind
LONGEST_NOTE = 300


class NotApplicable(Exception):
    """The remedy cannot be applied any more. The text says why."""


def lock(key: int) -> RemediationOption:
    """The remedy, locked, if it can still be applied. Raises `NotApplicable`. Call it in a transaction."""
    rows = RemediationOption.objects.select_related("metric_result__model_result__software_model")
    option = rows.select_for_update(of=("self",)).get(pk=key)
    if reason := why_not(option):
        raise NotApplicable(reason)
    return option


def why_not(option: RemediationOption) -> str:
    """Why a remedy cannot be applied; empty if it can."""
    if option.state == State.VOID or not option.metric_result.model_result.current:
        return "This remedy is older than the position that stands now. Look at the newer ones."
    if option.state in (State.COMPLETE, State.COMPLETED_WITH_ERRORS):
        return "This remedy was applied already."
    if option.metric_result.model_result.software_model is None:
        return "The software model was deleted."
    return ""


def begin(option: RemediationOption, *, by: User, now: datetime, reference: str = "") -> None:
    """Somebody has begun with it, and it is over somewhere else."""
    _move(option, State.IN_PROGRESS, by=by, now=now, reference=reference)


def finish(option: RemediationOption, *, by: User, now: datetime, note: str, has_errors: bool) -> None:
    """It was applied, wholly or with what the note says."""
    _move(option, State.COMPLETED_WITH_ERRORS if has_errors else State.COMPLETE, by=by, now=now, note=note)
    if option.kind == Kind.CREATE_ALLOCATIONS:
        others = RemediationOption.objects.filter(metric_result=option.metric_result, kind=Kind.REMOVE_ALLOCATIONS)
        others.filter(state__in=(State.NEW, State.IN_PROGRESS)).update(state=State.VOID)


def _move(
    option: RemediationOption,
    state: RemediationOption.State,
    *,
    by: User,
    now: datetime,
    reference: str = "",
    note: str = "",
) -> None:
    option.state, option.applied_by, option.applied_at = state, by, now
    option.reference, option.note = reference or option.reference, note[:LONGEST_NOTE]
    option.save(update_fields=["state", "applied_by", "applied_at", "reference", "note"])
    model = str(option.metric_result.model_result)
    detail = {"kind": str(option.get_kind_display()), "software_model": model, "state": str(option.get_state_display())}
    audit.record(by, "applied remedy", option, **detail, **({"note": option.note} if note else {}))


def close_purchases(published: Entitlement) -> None:
    """An entitlement was published: the purchase that opened it is complete, others of its model are void."""
    purchases = RemediationOption.objects.filter(
        kind=Kind.PURCHASE,
        metric_result__model_result__current=True,
        metric_result__model_result__software_model=published.software_model_id,
        state__in=(State.NEW, State.IN_PROGRESS),
    )
    for option in purchases:
        is_own = option.reference == published.number
        option.state = State.COMPLETE if is_own else State.VOID
        option.save(update_fields=["state"])


def reopen_purchase(number: str) -> None:
    """The draft that a purchase had opened was deleted: the purchase can be applied again."""
    opened = RemediationOption.objects.filter(kind=Kind.PURCHASE, reference=number, state=State.IN_PROGRESS)
    opened.update(state=State.NEW, reference="", applied_by=None, applied_at=None)
