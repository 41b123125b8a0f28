"""The form of a profile in Core UI, where profiles are kept there: the form and the verbs of the Workspace."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from profiles import connectors
from profiles.connectors import base
from profiles.forms import ProfileForm
from profiles.models import IntegrationProfile
from profiles.views import changes_connection, form_context, save_form, takes_credentials
from samsaas import keep_secrets
from samsaas.lib.http import SignedInRequest
from samsaas.reauthenticate import recent_password_required

ELSEWHERE = (
    "Profiles are created in the Software Asset Workspace while it is in use: License operations > User Subscriptions "
    "> Direct integration profiles > New."
)
TEMPLATE = "admin/profiles/integrationprofile/profile_form.html"
CONNECTION = ("display_name", "alias", "child_name", "client_id", "client_secret")
PROCESSES = ("pull_activity", "analyze_activity_from", "reclaim")
RECLAMATION = ("reclamation_client_id", "reclamation_client_secret")


@recent_password_required(when=takes_credentials)
def new_profile(request: SignedInRequest, vendor: str) -> HttpResponse:
    """New > … Integration Profile. While the Workspace is in use the list says where to go instead."""
    if vendor not in connectors.CONNECTORS:
        raise Http404
    if settings.WORKSPACE:
        messages.warning(request, ELSEWHERE)
        return redirect("admin:profiles_integrationprofile_changelist")
    form = ProfileForm(keep_secrets.read_form(request, now=timezone.now()), vendor=vendor)
    if profile := save_form(request, form):
        messages.success(request, f"{profile} was created as a draft. Press Get OAuth Token next.")
        return redirect(profile)
    return render(request, TEMPLATE, _page_context(request, form, connectors.vendor(vendor)))


@recent_password_required(when=changes_connection)
def edit_profile(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a profile; a secret left empty stays as it is."""
    if settings.WORKSPACE:
        return redirect("profile_edit", pk=pk)
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    form = ProfileForm(keep_secrets.read_form(request, now=timezone.now()), instance=profile)
    if changed := save_form(request, form):
        messages.success(request, f"{changed} was saved.")
        return redirect(changed)
    profile.refresh_from_db()
    return render(request, TEMPLATE, _page_context(request, form, profile.vendor_info, profile))


def _page_context(
    request: SignedInRequest, form: ProfileForm, vendor: base.Vendor, profile: IntegrationProfile | None = None
) -> dict[str, Any]:
    title = f"Edit {profile}" if profile else f"New {vendor.label} Integration Profile"
    return {
        **admin.site.each_context(request),
        **form_context(form, vendor, profile),
        "title": title,
        "connection": [form[name] for name in CONNECTION],
        "processes": [form[name] for name in PROCESSES],
        "reclamation": [form[name] for name in RECLAMATION],
    }
