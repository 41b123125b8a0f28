"""Pages for administrators: who may see some profiles only."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from profiles.models import LimitedSight
from profiles.sight import edit
from profiles.sight.forms import SightForm
from profiles.sight.tables import SightTable
from samsaas import explain_conflict
from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest
from samsaas.reauthenticate import recent_password_required

FORM = "profiles/sight/sight_form.html"


def sight_list(request: SignedInRequest) -> HttpResponse:
    """All limits, with their profiles and accounts."""
    limits = LimitedSight.objects.prefetch_related("profiles", "accounts")
    return render(request, "profiles/sight/sight_list.html", tables.listing(request, limits, SightTable))


@recent_password_required
def sight_new(request: SignedInRequest) -> HttpResponse:
    """A new limit."""
    form = SightForm(request.POST or None)
    if form.is_valid():
        made = edits.save_or_explain(form, lambda: edit.create(form.cleaned_data, by=request.user, now=timezone.now()))
        if made:
            messages.success(request, f"{made} was created. Its accounts see its profiles only, at once.")
            return redirect("sight_list")
    return render(request, FORM, {"form": form})


@recent_password_required
def sight_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a limit."""
    limit = get_object_or_404(LimitedSight, pk=pk)
    form = SightForm(request.POST or None, instance=limit)
    if form.is_valid() and not explain_conflict.refuse(request, form, limit, "this limit"):
        changed = edits.save_or_explain(form, lambda: edit.change(pk, form.cleaned_data, by=request.user))
        if changed:
            messages.success(request, f"{changed} was saved.")
            return redirect("sight_list")
    stored = LimitedSight.objects.get(pk=pk)
    return render(request, FORM, {"form": form, "limit": stored})


@recent_password_required
def sight_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a limit after a confirmation that says who sees everything then."""
    limit = get_object_or_404(LimitedSight, pk=pk)
    if request.method == "POST":
        edit.delete(limit, by=request.user)
        messages.success(request, "The limit was deleted.")
        return redirect("sight_list")
    freed = limit.accounts.exclude(limited_sights__in=LimitedSight.objects.exclude(pk=pk)).order_by("username")
    return render(request, "profiles/sight/sight_delete.html", {"limit": limit, "freed": freed})
