"""Store what a form of an entitlement says, and tell the person what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from samsaas import explain_conflict
from samsaas.lib import edits
from samsaas.lib.http import SignedInRequest
from subscriptions.entitlements import edit
from subscriptions.entitlements.check import list_warnings
from subscriptions.entitlements.recording.forms import EntitlementForm
from subscriptions.models import Entitlement


def save_draft(request: SignedInRequest, form: EntitlementForm) -> Entitlement | None:
    """Store a draft. None: it was refused, and the form says why."""
    version = form.cleaned_data.get("version")
    try:
        saved = edit.save_draft(form.instance, by=request.user, now=timezone.now(), version=version, named=form.named)
    except ValidationError as problem:
        form.take_errors(problem)
        return None
    except edits.EditConflict:
        explain_conflict.run(request, form, form.instance, "this entitlement")
        return None
    messages.success(request, f"{saved.number} was saved as a draft. It counts when it is published.")
    _warn(request, saved)
    return saved


def correct(request: SignedInRequest, form: EntitlementForm) -> Entitlement | None:
    """Correct a published entitlement. None: it was refused, and the form says why."""
    data = form.cleaned_data
    values = {name: data[name] for name in edit.DETAILS if name in data}
    version, reason = data.get("version") or 0, data["reason"]
    try:
        saved = edit.correct(form.instance, values, version=version, reason=reason, by=request.user, now=timezone.now())
    except ValidationError as problem:
        form.take_errors(problem)
        return None
    except edits.EditConflict:
        explain_conflict.run(request, form, form.instance, "this entitlement")
        return None
    is_changed = saved.version != version
    messages.success(request, f"{saved.number} was corrected." if is_changed else "Nothing was changed.")
    _warn(request, saved)
    return saved


def _warn(request: HttpRequest, one: Entitlement) -> None:
    for warning in list_warnings(one):
        messages.warning(request, warning)
