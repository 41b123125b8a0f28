"""`/metrics`: the figures in Prometheus' format, for whoever sends the token of the deployment."""

from __future__ import annotations

from django.conf import settings
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from samsaas.metrics.collect import StoredFigures


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures. 404 where no METRICS_TOKEN is set, 401 without it, 503 where the database does not answer."""
    if not settings.METRICS_TOKEN:
        raise Http404
    kind, _, sent = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not constant_time_compare(sent, settings.METRICS_TOKEN):
        return _say(401, "Send the token of METRICS_TOKEN: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoredFigures())
    try:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except Error:
        return _say(503, "The database does not answer.")


def _say(status: int, text: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)
