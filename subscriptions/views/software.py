"""Software models: the list, and one model with the seats that use it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from samsaas.lib import tables
from subscriptions import figures
from subscriptions.filters import SoftwareModelFilter
from subscriptions.models import Subscription
from subscriptions.tables import SoftwareModelTable


def software_model_list(request: HttpRequest) -> HttpResponse:
    """Every software model with its seats."""
    context = tables.listing(request, figures.software_models(), SoftwareModelTable, SoftwareModelFilter)
    return render(request, "subscriptions/software_model_list.html", context)


def software_model_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Seats by status and by profile, and the vendor's own licence count beside ours."""
    model = get_object_or_404(figures.software_models(), pk=pk)
    seats = Subscription.objects.filter(identifier__software_model=model)
    context = {
        "model": model,
        "identifiers": model.identifiers.all(),
        "by_status": figures.by_status(seats, model=model.pk),
        "by_profile": figures.by_profile(seats),
        "list_url": figures.list_url(model=model.pk),
    }
    return render(request, "subscriptions/software_model_detail.html", context)
