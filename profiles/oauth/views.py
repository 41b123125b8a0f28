"""Get OAuth Token: the start, the vendor's redirect back, the result, and Disconnect."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from profiles.connectors import base
from profiles.models import Credential, IntegrationProfile, OAuthState
from profiles.oauth import flow as oauth, grants, outcomes
from samsaas import policy
from samsaas.lib.encryption import UndecryptableValue
from samsaas.lib.http import SignedInRequest, keep_popup
from samsaas.reauthenticate import recent_password_required

LONGEST_PARAMETER = 2000
NO_CLIENT = "This profile has no client ID for that purpose. Enter it on the form first."
UNREADABLE = "{0.title}. {0.remedy}".format(outcomes.OUTCOMES["secret_unreadable"])
DISCONNECTED = (
    "{profile} is disconnected: its tokens were deleted here.{why} To end the access at the vendor too, "
    "disconnect the app in the vendor’s admin console."
)
NOT_TOLD = " They could not be decrypted, so the vendor could not be told."


class SeeOther(HttpResponseRedirect):
    """A 303: the browser fetches a clean address, so neither code nor state stays in its history."""

    status_code = 303


@require_POST
@never_cache
@recent_password_required(when=lambda request, pk: request.POST.get("replace_team") == "1")
def authorize(request: SignedInRequest, pk: int) -> HttpResponse:
    """Start an authorization and go to the vendor's consent page."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    consent = oauth.ConsentRequest(
        profile=profile,
        purpose=request.POST.get("purpose", base.SUBSCRIPTIONS),
        user=request.user,
        session_key=session_key(request),
        popup=request.POST.get("popup") == "1",
        switch_account=request.POST.get("switch_account") == "1",
        replace_team=request.POST.get("replace_team") == "1",
        share_team=request.POST.get("share_team") == "1",
        device_sessions=request.POST.get("sessions") == "1",
    )
    try:
        url = oauth.begin(consent, now=timezone.now())
    except (Credential.DoesNotExist, UndecryptableValue) as problem:
        messages.error(request, UNREADABLE if isinstance(problem, UndecryptableValue) else NO_CLIENT)
        return redirect(profile)
    return keep_popup(SeeOther(url))


def session_key(request: HttpRequest) -> str:
    """The key of the browser's session; a new session is saved first."""
    if not request.session.session_key:
        request.session.save()
    return request.session.session_key or ""


@never_cache
@sensitive_variables()
def redirect_back(request: HttpRequest) -> HttpResponse:
    """/oauth_redirect.do: the one callback for every vendor, profile and purpose.

    It always redirects to another page.
    """
    if not request.user.is_authenticated:
        return _hide_referrer(_redirect_to_stopped("session_lost"))
    params = {key: str(value)[:LONGEST_PARAMETER].replace("\0", "") for key, value in request.GET.items()}
    finished = oauth.finish(
        params,
        user=cast(User, request.user),
        may_connect=policy.may(request.user, "profile_authorize", "POST"),
        session_key=session_key(request),
        now=timezone.now(),
    )
    if finished.next_url:
        return _hide_referrer(SeeOther(finished.next_url))
    if finished.attempt is None or finished.outcome == "role_lost":
        return _hide_referrer(_redirect_to_stopped(finished.outcome))
    return _hide_referrer(_redirect_to_result(finished.attempt))


def _redirect_to_result(attempt: OAuthState) -> SeeOther:
    return SeeOther(reverse("authorization_result", args=[attempt.pk]))


def _redirect_to_stopped(outcome: str) -> SeeOther:
    return SeeOther(reverse("authorization_stopped", args=[outcome]))


def _hide_referrer(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"
    return response


def result(request: SignedInRequest, pk: int) -> HttpResponse:
    """How an authorization ended, shown to the person who started it: what happened and what to do."""
    attempt = get_object_or_404(OAuthState.objects.select_related("profile__alias"), pk=pk, user=request.user)
    outcome = outcomes.OUTCOMES.get(attempt.outcome)
    if outcome is None:
        raise Http404
    context = {"attempt": attempt, "outcome": outcome, "profile": attempt.profile, "bare": attempt.popup}
    return render(request, "profiles/oauth/authorization_result.html", context)


def stopped(request: HttpRequest, outcome: str) -> HttpResponse:
    """The result page of an answer that belongs to no authorization of this session."""
    if outcome not in outcomes.WITHOUT_ATTEMPT:
        raise Http404
    return render(
        request, "profiles/oauth/authorization_result.html", {"outcome": outcomes.OUTCOMES[outcome]}, status=400
    )


def waiting(request: SignedInRequest, pk: int) -> JsonResponse:
    """Whether the profile page still waits for the vendor's answer to this person's last press of the button."""
    last = OAuthState.objects.filter(profile_id=pk, user=request.user).order_by("-pk").first()
    still = bool(last and last.used_at is None and last.expires_at > timezone.now())
    return JsonResponse({"waiting": still, "text": "Still waiting for the vendor’s answer." if still else ""})


@recent_password_required
def disconnect(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, then delete the stored tokens, whatever the vendor answers."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    if request.method == "POST":
        asked = grants.disconnect(profile, by=request.user)
        level, why = (messages.SUCCESS, "") if asked else (messages.WARNING, NOT_TOLD)
        messages.add_message(request, level, DISCONNECTED.format(profile=profile, why=why))
        return redirect(profile)
    return render(request, "profiles/oauth/profile_disconnect.html", {"profile": profile})
