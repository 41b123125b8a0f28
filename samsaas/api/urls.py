"""The addresses of the REST API, version 1: those of every app, and its OpenAPI document."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path

from profiles import api as profiles
from reclamation import api as reclamation
from samsaas.api import audit_entries, schema
from subscriptions import api as subscriptions

app_name = "api"
resources = [*profiles.patterns, *subscriptions.patterns, *reclamation.patterns, *audit_entries.patterns]


def openapi(request: HttpRequest) -> JsonResponse:
    """The OpenAPI document."""
    return JsonResponse(schema.read_document(tuple(resources)))


urlpatterns = [path("openapi.json", openapi, name="openapi"), *resources]
