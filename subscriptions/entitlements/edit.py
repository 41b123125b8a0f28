"""Record, publish, correct, retire and renew entitlements. Every change leaves a version and a line in the audit trail.

A draft (Build) is edited freely and never counts. A published entitlement is corrected, with a reason. Whatever changes
a position has the position of that software model computed anew at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from samsaas import audit
from samsaas.lib import edits, money
from subscriptions import recompute, remedy_states
from subscriptions.entitlements.check import check_entitlement, existing_renewal
from subscriptions.models import Entitlement, EntitlementVersion, SoftwareModel

State = Entitlement.State
# What a person may set. State, publishing and retiring have verbs of their own.
DETAILS = (
    *("software_model", "publisher_part_number", "agreement_type", "license_type", "metric"),
    *("purchased_rights", "unlimited", "period", "start", "end", "unit_cost", "total_cost", "currency"),
    *("renews", "auto_renew", "notice_days", "minimum_rights", "profile", "vendor_name", "contract", "invoice"),
    *("purchase_order", "cost_center", "department", "owner", "notes"),
)
# What a correction needs a reason for, because a position rests on it.
REASONED = {
    *("software_model", "purchased_rights", "unlimited", "period", "start", "end", "unit_cost", "total_cost"),
    *("currency", "renews", "minimum_rights", "agreement_type"),
}
CARRIED = tuple(name for name in DETAILS if name not in ("start", "end", "renews", "invoice", "purchase_order"))
REDUCTION = ("reduction_asked_to", "reduction_asked_on")
RELATED = ("software_model", "renews", "profile", "owner", "created_by", "published_by")
NEEDS_REASON = "Say why this is corrected: it is published."


@transaction.atomic
def save_draft(
    draft: Entitlement, *, by: User, now: datetime, version: int | None = None, named: tuple[str, ...] = ()
) -> Entitlement:
    """Store a new entitlement in Build, or the changes of one. `version` is the one that the person saw.

    `named` are publisher, product and edition of a software model that is not stored yet. Raises `ValidationError`, and
    `edits.EditConflict` where somebody else was first.
    """
    stored = _lock(draft)
    if stored is not None and version is not None:
        edits.refuse_stale(version, stored.version)
    if stored is not None and stored.state != State.BUILD:
        raise ValidationError(NEEDS_REASON)
    if named:
        draft.software_model = SoftwareModel.objects.find_or_make(*named)
    draft.state, is_new = State.BUILD, draft.pk is None
    draft.version = stored.version if stored else 1
    check_entitlement(draft)
    _store(draft, "recorded entitlement" if is_new else "changed entitlement", by=by, now=now)
    return draft


@transaction.atomic
def delete_draft(one: Entitlement, *, by: User) -> None:
    """Delete a draft with its allocations and versions. Raises `ValidationError` where it is published."""
    stored = _lock(one)
    if stored is None or stored.state != State.BUILD:
        raise ValidationError("It is published. Retire it: what counted is kept.")
    if stored.renewals.exists():
        raise ValidationError("Another entitlement renews it. Change that one first.")
    stored.allocations.all().delete()
    remedy_states.reopen_purchase(stored.number)
    audit.record(by, "deleted entitlement", stored, software_model=str(stored.software_model))
    stored.delete()


def publish_many(keys: Iterable[int], *, by: User, now: datetime) -> tuple[int, list[str]]:
    """Publish drafts one by one. Returns how many, and for each other one its number and what stands in the way."""
    published, problems = 0, []
    for one in Entitlement.objects.filter(pk__in=list(keys)).order_by("pk"):
        try:
            publish(one, by=by, now=now)
        except ValidationError as problem:
            problems.append(f"{one.number}: {' '.join(problem.messages)}")
        else:
            published += 1
    return published, problems


@transaction.atomic
def publish(one: Entitlement, *, by: User, now: datetime) -> Entitlement:
    """Let a draft count from its start date on. Raises `ValidationError`."""
    stored = _lock(one)
    if stored is None or stored.state != State.BUILD:
        raise ValidationError("It is published already.")
    stored.state, stored.published_at, stored.published_by = State.IN_USE, now, by
    check_entitlement(stored)
    _store(stored, "published entitlement", by=by, now=now)
    remedy_states.close_purchases(stored)
    recompute.request_for_model(stored.software_model_id, by=by, now=now)
    return stored


@transaction.atomic
def correct(
    one: Entitlement, data: Mapping[str, Any], *, version: int, reason: str, by: User, now: datetime
) -> Entitlement:
    """Correct a published entitlement. `version` is the one that the person saw.

    Raises `ValidationError`, and `edits.EditConflict` where somebody else was first.
    """
    stored = _lock(one, renewed=data.get("renews"))
    if stored is None or stored.state == State.BUILD:
        raise ValidationError("A draft is edited, not corrected.")
    edits.refuse_stale(version, stored.version)
    models = {stored.software_model_id}
    changes = edits.set_changed(stored, data, [name for name in DETAILS if name in data])
    if not changes:
        return stored
    if not reason.strip() and REASONED & changes.after.keys():
        raise ValidationError(NEEDS_REASON)
    check_entitlement(stored)
    _store(stored, "corrected entitlement", by=by, now=now, reason=reason.strip(), changes=changes)
    for model in models | {stored.software_model_id}:
        recompute.request_for_model(model, by=by, now=now)
    return stored


@transaction.atomic
def retire(one: Entitlement, on: date, *, reason: str, by: User, now: datetime) -> Entitlement:
    """From that day on it no longer counts; on or before its start it never did. Raises `ValidationError`."""
    stored = _lock(one)
    if stored is None or stored.state != State.IN_USE:
        raise ValidationError("Only a published entitlement can be retired, and only once.")
    if not reason.strip():
        raise ValidationError("Say why it is retired.")
    stored.state, stored.retired_on = State.RETIRED, on
    check_entitlement(stored)
    _store(stored, "retired entitlement", by=by, now=now, reason=reason.strip())
    recompute.request_for_model(stored.software_model_id, by=by, now=now)
    return stored


def draft_renewal(one: Entitlement, *, recommended: int | None = None) -> Entitlement:
    """A renewal as a draft that is not stored: linked, for a term of the same length, with the recommended rights."""
    if one.end is None:
        raise ValidationError("It goes on without an end, so there is nothing to renew.")
    renewal = Entitlement(**{name: getattr(one, name) for name in CARRIED})
    renewal.renews = one
    try:
        renewal.start, renewal.end = _next_term(one.start, one.end)
    except (OverflowError, ValueError):  # 31 December 9999, as some contracts say *for ever*
        raise ValidationError("It ends too far in the future to be renewed.") from None
    if recommended is not None and not one.unlimited:
        renewal.purchased_rights = recommended
        renewal.minimum_rights = min(one.minimum_rights, recommended)
        if one.unit_cost is not None:
            renewal.total_cost = None
    return renewal


def _next_term(start: date, end: date) -> tuple[date, date]:
    """A term of the same length from the day after on."""
    begin = end + timedelta(days=1)
    if _is_whole_years(start, end):
        return begin, _same_day(end, end.year + begin.year - start.year)
    return begin, begin + (end - start)


def _is_whole_years(start: date, end: date) -> bool:
    after = end + timedelta(days=1)
    return (after.month, after.day) == (start.month, start.day)


def _same_day(day: date, year: int) -> date:
    leap = (day.month, day.day) == (2, 29)
    return date(year, 2, 28) if leap else day.replace(year=year)


@transaction.atomic
def note_reduction(one: Entitlement, rights: int, on: date, *, by: User, now: datetime) -> Entitlement:
    """Note that the vendor was asked on that day to renew with so many rights only. Raises `ValidationError`."""
    stored = _lock(one)
    if stored is None:
        raise ValidationError("It is gone.")
    if problem := why_no_reduction(stored):
        raise ValidationError(problem)
    if errors := _check_reduction(stored, rights, on, timezone.localtime(now).date()):
        raise ValidationError(errors)
    return _store_reduction(stored, rights, on, "noted reduction", by=by, now=now)


def _check_reduction(one: Entitlement, rights: int, on: date, today: date) -> dict[str, str]:
    errors: dict[str, str] = {}
    if rights >= one.purchased_rights:
        errors["rights"] = f"It has {one.purchased_rights:,} rights, so this is no reduction."
    elif rights < one.minimum_rights:
        errors["rights"] = f"{one.minimum_rights:,} rights are committed. Fewer cannot be given back."
    if on > today:
        errors["on"] = "This day is still to come. Note it when the vendor was asked."
    elif on < one.start:
        errors["on"] = "This day is before the start date."
    return errors


@transaction.atomic
def drop_reduction(one: Entitlement, *, by: User, now: datetime) -> Entitlement:
    """Take back the note that the vendor was asked for fewer rights. Reminders go on. Raises `ValidationError`."""
    stored = _lock(one)
    if stored is None or stored.reduction_asked_on is None:
        raise ValidationError("No reduction is noted.")
    return _store_reduction(stored, None, None, "took back reduction", by=by, now=now)


def why_no_reduction(one: Entitlement) -> str:
    """Why no reduction can be noted of it; empty if one can."""
    if one.state != State.IN_USE:
        return "Only of a published entitlement a reduction can be noted."
    if one.end is None:
        return "It goes on without an end, so there is no renewal."
    if one.unlimited:
        return "An unlimited license has no rights to give back."
    renewal = existing_renewal(one)
    return f"It has a renewal already: {renewal.number}." if renewal and not renewal.is_draft else ""


def _store_reduction(
    one: Entitlement, rights: int | None, on: date | None, verb: str, *, by: User, now: datetime
) -> Entitlement:
    changes = edits.set_changed(one, {"reduction_asked_to": rights, "reduction_asked_on": on}, REDUCTION)
    if changes:
        one.full_clean()
        _store(one, verb, by=by, now=now, changes=changes)
    return one


def _lock(one: Entitlement, renewed: Entitlement | None = None) -> Entitlement | None:
    """Lock what it renews, in the order of the keys, and the entitlement itself. Returns its stored row."""
    keys = {key for key in (one.pk, one.renews_id, renewed and renewed.pk) if key}
    rows = Entitlement.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    return next((row for row in list(rows) if row.pk == one.pk), None)


def _store(one: Entitlement, verb: str, *, by: User, now: datetime, reason: str = "", changes: Any = None) -> None:
    if one.pk is None:
        one.created_by = by
    else:
        one.version += 1
    one.updated_by = by
    one.save()
    make_version(one, by=by, now=now, reason=reason).save()
    detail = {"before": changes.before, "after": changes.after} if changes else {"version": one.version}
    audit.record(by, verb, one, **detail, **({"reason": reason} if reason else {}))


def make_version(one: Entitlement, *, by: User | None, now: datetime, reason: str = "") -> EntitlementVersion:
    """The version that holds what an entitlement is now. The caller saves it."""
    values = {name: _version_value(getattr(one, name)) for name in (*DETAILS, *REDUCTION, "state", "retired_on")}
    return EntitlementVersion(entitlement=one, version=one.version, values=values, by=by, at=now, reason=reason[:300])


def _version_value(value: Any) -> str:
    """A value as a version keeps it. An amount is written in one way, whether or not it was read from the database."""
    return str(money.trim(value)) if isinstance(value, Decimal) else edits.audit_value(value)
