"""What counts as use, with the reasons; and the pages on which a person has a log read again, or further back."""

from __future__ import annotations

from datetime import UTC

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from profiles import connectors
from profiles.jobs import start
from profiles.models import IntegrationProfile
from samsaas.lib.http import SignedInRequest
from subscriptions.activity import pull_earlier, read_again, read_further_back
from subscriptions.activity.coverage.intervals import latest_of_team, midnight_of
from subscriptions.activity.forms import FurtherBackForm, ReadAgainForm

WAITS_ALREADY = "Another pull waits already; nothing was requested. Cancel it first, or wait for its end."


def activity_type_list(request: HttpRequest) -> HttpResponse:
    """Every vendor's classes of activity, and which signals each profile gives."""
    context = {"vendors": connectors.vendors().values(), "profiles": IntegrationProfile.objects.all()}
    return render(request, "subscriptions/activity/activity_types.html", context)


def activity_read_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask from which day on the log shall be read again, and request that run."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    now = timezone.now()
    first = {"since": midnight_of(min(profile.analyze_activity_from, now)).date()}
    form = ReadAgainForm(request.POST or None, today=now.astimezone(UTC).date(), initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            run, fresh = read_again.run(profile, form.cleaned_data["since"], by=request.user)
        except start.NotReady as reason:
            messages.error(request, str(reason))
            return redirect(profile)
        if not fresh:
            messages.info(request, WAITS_ALREADY)
        return redirect(run or profile)
    return render(request, "subscriptions/activity/read_again.html", {"profile": profile, "form": form})


def activity_further_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask from which earlier day on the log shall be read, up to the time that is known, and request that run."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    now = timezone.now()
    known, reason = latest_of_team(profile), read_further_back.refusal(profile, now)
    if reason or known is None:
        messages.error(request, reason or pull_earlier.NOTHING_KNOWN)
        return redirect(profile)
    earliest = pull_earlier.earliest(now).date()
    form = FurtherBackForm(request.POST or None, earliest=earliest, known_from=known.since, initial={"since": earliest})
    if request.method == "POST" and form.is_valid():
        run, _ = read_further_back.run(profile, form.cleaned_data["since"], by=request.user, now=now)
        return redirect(run or profile)
    context = {"profile": profile, "form": form, "known": known}
    return render(request, "subscriptions/activity/further_back.html", context)
