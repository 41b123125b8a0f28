"""Integration profiles: list, create, look at, change, delete, and download now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from profiles import connectors, delete_profile, guide, outcomes, overview, queue, save_profile
from profiles.connectors import base
from profiles.filters import ProfileFilter
from profiles.forms import DeleteForm, ProfileForm, VendorForm
from profiles.models import IntegrationProfile, JobRun
from profiles.tables import ProfileTable
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest


def profile_list(request: SignedInRequest) -> HttpResponse:
    """Direct integration profiles."""
    profiles = IntegrationProfile.objects.select_related("alias")
    return render(request, "profiles/profile_list.html", tables.listing(request, profiles, ProfileTable, ProfileFilter))


def profile_new(request: SignedInRequest) -> HttpResponse:
    """Choose the vendor from the drop-down, then Continue."""
    form = VendorForm(request.GET if "vendor" in request.GET else None, choices=connectors.choices())
    if form.is_bound and form.is_valid():
        return redirect("profile_create", vendor=form.cleaned_data["vendor"])
    return render(request, "profiles/profile_new.html", {"form": form})


def profile_create(request: SignedInRequest, vendor: str) -> HttpResponse:
    """The form; Submit creates a Draft."""
    if vendor not in connectors.CONNECTORS:
        raise Http404
    form = ProfileForm(request.POST or None)
    if form.is_valid():
        profile = save_profile.create(vendor, form.cleaned_data, by=request.user)
        messages.success(request, f"{profile} was created as a draft.")
        return redirect(profile)
    return render(request, "profiles/profile_form.html", _form_context(form, connectors.vendor(vendor)))


def profile_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a profile; a secret left empty stays as it is."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    form = ProfileForm(request.POST or None, instance=profile)
    if form.is_valid():
        try:
            changed = save_profile.change(pk, form.cleaned_data, by=request.user)
        except save_profile.EditConflict:
            form.add_error(None, "Somebody else changed this profile meanwhile. Open it again and repeat your change.")
        else:
            messages.success(request, f"{changed} was saved.")
            return redirect(changed)
    profile.refresh_from_db()
    return render(request, "profiles/profile_form.html", _form_context(form, profile.vendor_info, profile))


def _form_context(
    form: ProfileForm, vendor: base.Vendor, profile: IntegrationProfile | None = None
) -> dict[str, object]:
    return {
        "form": form,
        "vendor": vendor,
        "profile": profile,
        "redirect_url": settings.OAUTH_REDIRECT_URL,
        "steps": guide.steps(vendor, settings.OAUTH_REDIRECT_URL),
        "reclamation_scopes": vendor.scopes(base.RECLAMATION),
    }


def profile_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Status, connection health, team and admin, next step, and what belongs to the profile."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias__parent"), pk=pk)
    context = overview.of(profile) | {"failure": _failure(profile), "refresh_at": settings.DAILY_REFRESH_AT}
    if context["failure"]:  # it says what to do, so the step everybody starts with is left out
        context["notices"] = [notice for notice in context["notices"] if notice.tone != "info"]
    return render(request, "profiles/profile_detail.html", context)


def _failure(profile: IntegrationProfile) -> dict[str, Any] | None:
    """The last press of Get OAuth Token, if it brought nothing."""
    last = profile.authorizations.exclude(outcome="").order_by("-pk").first()
    outcome = outcomes.OUTCOMES.get(last.outcome) if last else None
    return {"attempt": last, "outcome": outcome} if outcome and not outcome.stored else None


def profile_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """A confirmation that says what goes and what stays."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    form = DeleteForm(request.POST or None, profile=profile)
    if form.is_valid():
        try:
            delete_profile.run(profile, by=request.user)
        except delete_profile.Busy:
            form.add_error(None, "A reclamation is under way. Delete the profile when it has ended.")
        else:
            messages.success(request, f"{profile} was deleted.")
            return redirect("profile_list")
    context = {"profile": profile, "form": form}
    context |= {"goes": delete_profile.goes(profile), "stays": delete_profile.stays(profile)}
    return render(request, "profiles/profile_delete.html", context)


def profile_download(request: SignedInRequest, pk: int) -> HttpResponse:
    """Download subscriptions now; a second press leads to the run that is already under way."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    if not overview.can_download(profile):
        messages.error(request, "This profile is not connected yet. Press Get OAuth Token first.")
        return redirect(profile)
    run, fresh = queue.request(profile, base.DOWNLOAD, trigger=JobRun.Trigger.MANUAL, by=request.user)
    if not fresh:
        messages.info(request, "A download of this profile is under way already.")
    return redirect(run or profile)
