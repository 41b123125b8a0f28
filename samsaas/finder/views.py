"""The search for everything: as a page, as the list below its dialog's field, and opening what was found."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from samsaas import policy
from samsaas.finder import look_up, recent, sources
from samsaas.finder.forms import FindForm
from samsaas.lib import search
from samsaas.lib.http import SignedInRequest
from samsaas.lib.sight import limit_rows


def find(request: SignedInRequest) -> HttpResponse:
    """The search as a page of its own."""
    return render(request, "samsaas/finder/find.html", _found(request))


def find_options(request: SignedInRequest) -> HttpResponse:
    """What the dialog shows below its field."""
    return render(request, "samsaas/finder/options.html", _found(request))


def find_open(request: SignedInRequest, record: str) -> HttpResponse:
    """Go to the page of a record, such as `person-12`, and remember it."""
    kind, _, number = record.rpartition("-")
    finder, numbered = sources.BY_KEY.get(kind), search.numbered(number, "")
    if finder is None or numbered is None:
        raise Http404
    if not policy.may(request.user, finder.url_name):
        raise PermissionDenied
    row: Any = get_object_or_404(limit_rows(request, finder.rows()), numbered)
    recent.remember(request, finder.key, row.pk)
    return redirect(row.get_absolute_url())


def _found(request: SignedInRequest) -> dict[str, Any]:
    form = FindForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    groups = look_up.run(text, request) if text else recent.show(request)
    return {"form": form, "text": text, "groups": groups, "problems": form.errors.get("q", [])}
