"""The page that explains what counts as use: each vendor's types of activity, with the reasons."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from profiles import connectors
from profiles.models import IntegrationProfile


def activity_type_list(request: HttpRequest) -> HttpResponse:
    """Every vendor's classes of activity, and which signals each profile gives."""
    context = {"vendors": connectors.vendors().values(), "profiles": IntegrationProfile.objects.all()}
    return render(request, "subscriptions/activity/activity_types.html", context)
