"""Probes for whoever watches the processes: alive, and ready to serve."""

from __future__ import annotations

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


def alive(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """The database answers and has every migration. A broker that is down does not stop the pages."""
    try:
        pending = pending_migrations()
    except Error:
        return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
    if pending:
        return JsonResponse({"status": "unavailable", "migrations": pending}, status=503)
    return JsonResponse({"status": "ok"})


def pending_migrations() -> int:
    """How many migrations this code has that the database has not. Raises `django.db.Error` without a database."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
