"""Record an entitlement, step by step or all at once, edit a draft, and correct what is published."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas.lib.http import SignedInRequest
from subscriptions.entitlements.number_field import find_entitlement
from subscriptions.entitlements.recording.forms import CorrectionForm, EntitlementForm, GuidedForm
from subscriptions.entitlements.recording.groups import GROUPS
from subscriptions.entitlements.recording.store import correct, save_draft
from subscriptions.models import Entitlement, SoftwareModel

FORM = "subscriptions/entitlements/entitlement_form.html"


def entitlement_new(request: SignedInRequest) -> HttpResponse:
    """A new entitlement: in four steps, or as one form with `?form=plain`."""
    if request.GET.get("form") == "plain":
        form = EntitlementForm(request.POST or None, initial=_read_initial(request))
        if form.is_valid() and (saved := save_draft(request, form)):
            return redirect(saved)
        return render(request, FORM, {"form": form})
    return _guide(request)


def _guide(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _show_step(request, GuidedForm(initial=_read_initial(request), step=0))
    form, go = GuidedForm(request.POST, step=_read_step(request)), request.POST.get("go", "")
    if go == "back":
        return _show_step(request, form.at_step(form.step - 1))
    if go != "save":
        return _show_step(request, form.at_step(form.step + 1) if form.step_is_good() else form)
    if form.is_valid() and (saved := save_draft(request, form)):
        return redirect(saved)
    return _show_step(request, form.with_errors_shown())


def _show_step(request: HttpRequest, form: GuidedForm) -> HttpResponse:
    context = {"form": form, "groups": GROUPS, "number": form.step + 1, "same_model": _list_same_model(form)}
    return render(request, "subscriptions/entitlements/entitlement_guide.html", context)


def _list_same_model(form: GuidedForm) -> list[Entitlement]:
    """The latest entitlements of the chosen model: what a renewal could renew."""
    chosen = str(form["software_model"].value() or "")
    if "renews" not in form.shown.fields or not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        return []
    return list(Entitlement.objects.published().filter(software_model=int(chosen), renewals=None)[:5])


def _read_step(request: HttpRequest) -> int:
    asked = request.POST.get("step", "0")
    return int(asked) if asked in ("0", "1", "2", "3") else 0


def _read_initial(request: HttpRequest) -> dict[str, Any]:
    """What a link to the form already knows: the software model, and how many rights."""
    model, rights = request.GET.get("model", ""), request.GET.get("rights", "")
    found: dict[str, Any] = {"start": timezone.localdate()}
    if model.isascii() and model.isdigit() and len(model) < 19:
        found["software_model"] = SoftwareModel.objects.filter(pk=int(model)).first()
    if rights.isascii() and rights.isdigit() and len(rights) < 9:
        found["purchased_rights"] = int(rights)
    return found


def entitlement_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Edit a draft freely, or correct what is published, with a reason."""
    one = get_object_or_404(Entitlement.objects.select_related("software_model", "renews"), pk=pk)
    kind = EntitlementForm if one.is_draft else CorrectionForm
    renews = find_entitlement(request.GET.get("renews", ""))
    initial = {"renews": renews} if renews else {}
    form = kind(request.POST or None, instance=one, initial=initial)
    if form.is_valid() and (saved := save_draft(request, form) if one.is_draft else correct(request, form)):
        return redirect(saved)
    shown = Entitlement.objects.get(pk=pk)  # an invalid form has changed the instance
    return render(request, FORM, {"form": form, "entitlement": shown})
