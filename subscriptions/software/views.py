"""Pages of software models with their seats, and of the subscription identifiers that map to them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas import explain_conflict
from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest
from subscriptions import figures, links
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier
from subscriptions.software import edit_model, figures as software_figures, map_identifier, recognize
from subscriptions.software.filters import IdentifierFilter, SoftwareModelFilter
from subscriptions.software.forms import MapForm, SoftwareModelForm
from subscriptions.software.tables import IdentifierTable, SoftwareModelTable


def software_model_list(request: HttpRequest) -> HttpResponse:
    """All software models with their seats."""
    context = tables.listing(request, software_figures.software_models(), SoftwareModelTable, SoftwareModelFilter)
    return render(request, "subscriptions/software/software_model_list.html", context)


def software_model_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Seats by status, by profile and by last activity, and licenses as counted here and per vendor."""
    model = get_object_or_404(SoftwareModel, pk=pk)
    seats = Subscription.objects.filter(identifier__software_model=model)
    by_profile = figures.by_profile(seats)
    by_last_activity = figures.by_last_activity(seats, timezone.now(), model=model.pk)
    context = {
        "model": model,
        "identifiers": model.identifiers.all(),
        "totals": figures.totals(by_profile),
        "by_status": figures.by_status(seats, model=model.pk),
        "by_profile": by_profile,
        "by_last_activity": by_last_activity,
        "hatched": any(row["gaps"] for row in by_last_activity),
        "without_file_events": [row["profile"] for row in by_profile if row["profile"].file_events is False],
        "list_url": links.list_url(model=model.pk),
        "is_empty": edit_model.is_empty(model),
    }
    return render(request, "subscriptions/software/software_model_detail.html", context)


def software_model_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Edit whether the license is under management, the cost that overrides the entitlements, and the name."""
    model = get_object_or_404(SoftwareModel, pk=pk)
    form = SoftwareModelForm(request.POST or None, instance=model)
    if form.is_valid() and not explain_conflict.refuse(request, form, model, "this software model"):
        changed = edits.save_or_explain(form, lambda: edit_model.run(form.instance, by=request.user))
        if changed is not None:
            messages.success(request, f"{model} was saved." if changed else "Nothing was changed.")
            return redirect(model)
    # The model is read again, because an invalid form may have changed the name of this instance.
    context = {"model": get_object_or_404(SoftwareModel, pk=pk), "form": form}
    return render(request, "subscriptions/software/software_model_form.html", context)


def software_model_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a model after a confirmation, if nothing refers to it."""
    model = get_object_or_404(SoftwareModel, pk=pk)
    if request.method == "POST" and edit_model.delete(model, by=request.user):
        messages.success(request, f"{model} was deleted.")
        return redirect("software_model_list")
    if not edit_model.is_empty(model):
        messages.error(request, f"{model} is in use. Map its subscription identifiers to another model first.")
        return redirect(model)
    return render(request, "subscriptions/software/software_model_delete.html", {"model": model})


def identifier_list(request: HttpRequest) -> HttpResponse:
    """All seat types of the vendors, unrecognized ones first."""
    context = tables.listing(request, software_figures.identifiers(), IdentifierTable, IdentifierFilter)
    context["waiting"] = software_figures.count_unrecognized()
    return render(request, "subscriptions/software/identifier_list.html", context)


def identifier_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One identifier: its software model, its seats by status and by profile."""
    identifier = get_object_or_404(software_figures.identifiers(), pk=pk)
    return render(request, "subscriptions/software/identifier_detail.html", _identifier_context(identifier))


def identifier_map(request: SignedInRequest, pk: int) -> HttpResponse:
    """Choose or describe the software model. The page says how many subscriptions move."""
    identifier = get_object_or_404(software_figures.identifiers(), pk=pk)
    form = MapForm(request.POST or None, initial={"software_model": identifier.software_model_id})
    if form.is_valid():
        moved = map_identifier.run(identifier, form.chosen, by=request.user)
        identifier.refresh_from_db(fields=["software_model"])
        message = f"{identifier} is {identifier.software_model} now, with its {moved.current:,} current subscriptions."
        messages.success(request, message)
        return redirect(identifier)
    return render(
        request, "subscriptions/software/identifier_map.html", _identifier_context(identifier) | {"form": form}
    )


def identifier_unmap(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove the software model from an identifier, after a confirmation."""
    identifier = get_object_or_404(software_figures.identifiers(), pk=pk)
    if request.method == "POST":
        map_identifier.run(identifier, None, by=request.user)
        messages.success(request, f"{identifier} is unrecognized now. Its subscriptions count under no software model.")
        return redirect(identifier)
    return render(request, "subscriptions/software/identifier_unmap.html", _identifier_context(identifier))


def _identifier_context(identifier: SubscriptionIdentifier) -> dict[str, object]:
    seats = Subscription.objects.filter(identifier=identifier)
    return {
        "identifier": identifier,
        "moving": map_identifier.count_moving(identifier),
        "by_status": figures.by_status(seats, identifier=identifier.pk),
        "by_profile": figures.by_profile(seats),
        "list_url": links.list_url(identifier=identifier.pk),
        "known": recognize.known_as(identifier),
    }
