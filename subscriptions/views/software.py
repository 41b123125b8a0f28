"""Software models: the list, and one model with the seats that use it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions import figures, manage_model
from subscriptions.filters import SoftwareModelFilter
from subscriptions.forms_software import SoftwareModelForm
from subscriptions.models import SoftwareModel, Subscription
from subscriptions.tables import SoftwareModelTable


def software_model_list(request: HttpRequest) -> HttpResponse:
    """Every software model with its seats."""
    context = tables.listing(request, figures.software_models(), SoftwareModelTable, SoftwareModelFilter)
    return render(request, "subscriptions/software_model_list.html", context)


def software_model_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Seats by status, by profile and by last activity, and the vendor's own licence count beside ours."""
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
        "list_url": figures.list_url(model=model.pk),
        "is_empty": manage_model.is_empty(model),
    }
    return render(request, "subscriptions/software_model_detail.html", context)


def software_model_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """License under management, the cost that overrides what the entitlements say, and a name given by hand."""
    model = get_object_or_404(SoftwareModel, pk=pk)
    form = SoftwareModelForm(request.POST or None, instance=model)
    if form.is_valid():
        changed = manage_model.run(form.instance, by=request.user)
        messages.success(request, f"{model} was saved." if changed else "Nothing was different.")
        return redirect(model)
    # Its name is asked for again: the form may have filled in another one that was refused.
    context = {"model": get_object_or_404(SoftwareModel, pk=pk), "form": form}
    return render(request, "subscriptions/software_model_form.html", context)


def software_model_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask first; only a model that nothing hangs on can go."""
    model = get_object_or_404(SoftwareModel, pk=pk)
    if request.method == "POST" and manage_model.delete(model, by=request.user):
        messages.success(request, f"{model} was deleted.")
        return redirect("software_model_list")
    if not manage_model.is_empty(model):
        messages.error(request, f"{model} is in use. Map its subscription identifiers to another model first.")
        return redirect(model)
    return render(request, "subscriptions/software_model_delete.html", {"model": model})
