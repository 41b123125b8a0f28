"""Remedy *purchase*: open a draft entitlement with the rights that are missing. It counts when it is published."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from subscriptions import remedy_states
from subscriptions.entitlements import edit
from subscriptions.models import Entitlement, RemediationOption


@transaction.atomic
def run(option_key: int, *, by: User, now: datetime) -> Entitlement:
    """The draft, with software model, rights, and the end of what is in force. Its cost is for a person to fill in.

    One that the remedy has opened before is given back. Raises `remedy_states.NotApplicable` and `ValidationError`.
    """
    option = remedy_states.lock(option_key)
    if (opened := find_draft(option)) is not None:
        return opened
    draft = Entitlement(
        software_model=option.metric_result.model_result.software_model,
        metric=option.metric_result.metric,
        purchased_rights=option.rights,
        start=timezone.localtime(now).date(),
        end=option.until,
    )
    saved = edit.save_draft(draft, by=by, now=now)
    remedy_states.begin(option, by=by, now=now, reference=saved.number)
    return saved


def find_draft(option: RemediationOption) -> Entitlement | None:
    """The draft that the remedy has opened, while it is one."""
    key = option.reference.removeprefix("ENT")
    if not (key.isascii() and key.isdigit()):
        return None
    return Entitlement.objects.filter(pk=int(key), state=Entitlement.State.BUILD).first()
