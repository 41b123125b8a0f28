"""Connection & credential aliases: which holder of credentials serves which profile."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from profiles import endpoints
from profiles.models import ConnectionAlias
from profiles.tables import AliasTable
from samsaas.lib import tables


def alias_list(request: HttpRequest) -> HttpResponse:
    """Parents and their children."""
    aliases = ConnectionAlias.objects.select_related("parent", "profile")
    return render(request, "profiles/alias_list.html", tables.listing(request, aliases, AliasTable))


def alias_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One alias: its connection, its credentials without their secrets, its profile and its children."""
    alias = get_object_or_404(ConnectionAlias.objects.select_related("parent", "profile"), pk=pk)
    context = {
        "alias": alias,
        "endpoints": endpoints.of(alias.vendor),
        "credentials": alias.credentials.select_related("authorized_by"),
        "children": alias.children.select_related("profile"),
    }
    return render(request, "profiles/alias_detail.html", context)
