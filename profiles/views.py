"""Pages of integration profiles: list, create, show, change, delete, and download now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from profiles import connectors, delete_profile, notices, overview, save_profile
from profiles.aliases import choose as aliases
from profiles.connection.forms import changes_clients
from profiles.connectors import base
from profiles.filters import ProfileFilter
from profiles.forms import DeleteForm, ProfileForm, VendorForm
from profiles.jobs.process import find_process
from profiles.jobs.views import start_run
from profiles.models import IntegrationProfile
from profiles.models.run import VALIDATE
from profiles.oauth import app_guide
from profiles.tables import ProfileTable
from samsaas import explain_conflict, keep_secrets
from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest, keep_popup
from samsaas.lib.local_path import read_local_path
from samsaas.lib.sight import seen_by
from samsaas.reauthenticate import recent_password_required

TAKEN = "Another profile has taken this alias meanwhile. Choose another one."


def profile_list(request: SignedInRequest) -> HttpResponse:
    """Direct integration profiles."""
    profiles = IntegrationProfile.objects.select_related("alias")
    context = tables.listing(request, profiles, ProfileTable, ProfileFilter)
    shown = list(context["table"].page.object_list.data)
    urgent = notices.urgent_by_profile(shown, seen_by(request), timezone.now())
    for profile in shown:
        profile.notices = urgent[profile.pk]
    return render(request, "profiles/profile_list.html", context | {"shown": shown})


def profile_new(request: SignedInRequest) -> HttpResponse:
    """Choose the vendor from the drop-down, then Continue."""
    form = VendorForm(request.GET if "vendor" in request.GET else None, choices=connectors.choices())
    if form.is_bound and form.is_valid():
        return redirect("profile_create", vendor=form.cleaned_data["vendor"])
    return render(request, "profiles/profile_new.html", {"form": form})


def changes_connection(request: SignedInRequest, pk: int) -> bool:
    """Whether the posted form has another alias, client id or secret than the stored profile."""
    alias_id = IntegrationProfile.objects.filter(pk=pk).values_list("alias", flat=True).first()
    posted: Any = keep_secrets.read_form(request, now=timezone.now()) or {}
    other = posted.get("alias", "") not in ("", str(alias_id))
    return other or changes_clients(alias_id, posted)


def takes_credentials(request: SignedInRequest, vendor: str) -> bool:
    """Whether the posted form creates a profile through an alias that has credentials, perhaps with a grant."""
    choice = request.POST.get("alias", "")
    held = aliases.free_aliases(vendor).filter(credentials__isnull=False)
    return any(str(alias.pk) == choice or (not choice and alias.parent_id is None) for alias in held)


@recent_password_required(when=takes_credentials)
def profile_create(request: SignedInRequest, vendor: str) -> HttpResponse:
    """The form; Submit creates a Draft."""
    if vendor not in connectors.CONNECTORS:
        raise Http404
    form = ProfileForm(keep_secrets.read_form(request, now=timezone.now()), vendor=vendor)
    if profile := save_form(request, form):
        messages.success(request, f"{profile} was created as a draft.")
        return redirect(profile)
    return render(request, "profiles/profile_form.html", form_context(form, connectors.vendor(vendor)))


@recent_password_required(when=changes_connection)
def profile_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a profile; a secret left empty stays as it is."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    form = ProfileForm(keep_secrets.read_form(request, now=timezone.now()), instance=profile)
    if changed := save_form(request, form):
        messages.success(request, f"{changed} was saved.")
        return redirect(changed)
    profile.refresh_from_db()
    return render(request, "profiles/profile_form.html", form_context(form, profile.vendor_info, profile))


def save_form(request: SignedInRequest, form: ProfileForm) -> IntegrationProfile | None:
    """The saved profile, or None: the form was not sent or not valid, or it says why it could not be saved."""
    saved = _save(request, form) if form.is_valid() else None
    if saved:
        keep_secrets.forget(request)
    else:
        keep_secrets.keep(request, form, now=timezone.now())
    return saved


def _save(request: SignedInRequest, form: ProfileForm) -> IntegrationProfile | None:
    pk, data, by = form.instance.pk, form.cleaned_data, request.user
    try:
        if pk is None:
            return edits.save_or_explain(form, lambda: save_profile.create(form.vendor, data, by=by))
        return edits.save_or_explain(form, lambda: save_profile.change(pk, data, by=by))
    except edits.EditConflict:
        explain_conflict.run(request, form, form.instance, "this profile")
    except aliases.Taken:
        form.add_error("alias", TAKEN)
    return None


def form_context(
    form: ProfileForm, vendor: base.Vendor, profile: IntegrationProfile | None = None
) -> dict[str, object]:
    """What a page with the form shows beside it: the redirect URL, and how to make the vendor's app."""
    return {
        "form": form,
        "vendor": vendor,
        "profile": profile,
        "redirect_url": settings.OAUTH_REDIRECT_URL,
        "steps": app_guide.steps(vendor, settings.OAUTH_REDIRECT_URL),
        "reclamation_scopes": vendor.scopes(base.RECLAMATION),
    }


def profile_detail(request: SignedInRequest, pk: int, tab: str) -> HttpResponse:
    """One tab of a profile's page: state and next step, subscriptions, jobs and coverage, or connection."""
    profile = get_object_or_404(
        IntegrationProfile.objects.select_related("alias__parent", "created_by").prefetch_related("alias__credentials"),
        pk=pk,
    )
    context = overview.page_context(profile, tab, seen_by(request))
    return keep_popup(render(request, f"profiles/page/{tab}.html", context))


@recent_password_required
def profile_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """A confirmation that says what will be deleted and what will be kept."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    form = DeleteForm(request.POST or None, profile=profile, warnings=delete_profile.warnings(profile))
    if form.is_valid():
        try:
            delete_profile.run(profile, by=request.user)
        except delete_profile.Busy as busy:
            form.add_error(None, str(busy))
        else:
            messages.success(request, f"{profile} was deleted.")
            return redirect("profile_list")
    context = {"profile": profile, "form": form}
    context |= {"goes": delete_profile.will_be_deleted(profile), "stays": delete_profile.will_be_kept(profile)}
    return render(request, "profiles/profile_delete.html", context)


@require_POST
def profile_download(request: SignedInRequest, pk: int) -> HttpResponse:
    """Download subscriptions now; the other steps of the daily refresh follow."""
    return start_run(request, pk, base.DOWNLOAD)


@require_POST
def profile_switch(request: SignedInRequest, pk: int, process: str) -> HttpResponse:
    """Switch a process on, or with on=0 off; the profile is a draft then, until its connection is validated."""
    profile = get_object_or_404(IntegrationProfile, pk=pk)
    if process not in save_profile.SWITCHES:
        raise Http404
    switched_on = request.POST.get("on") == "1"
    if save_profile.switch(profile.pk, process, on=switched_on, by=request.user):
        label = f"{find_process(process).label} is switched {'on' if switched_on else 'off'}."
        messages.success(request, f"{label} Validate Connection publishes the profile again.")
    return redirect(read_local_path(request.POST.get("next"), reverse("profile_jobs", args=[pk])))


@require_POST
def profile_validate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Validate Connection: try every enabled process. The profile's page shows the progress."""
    return start_run(request, pk, VALIDATE, stay=True)
