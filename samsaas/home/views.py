"""Home, and ticking off a step of its checklist."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from profiles.models import JobRun
from profiles.sight.seen import list_seen
from reclamation import waiting
from samsaas import roles
from samsaas.home import charts, checklist, needs, position, unneeded
from samsaas.home.amounts import PriceList
from samsaas.lib.http import SignedInRequest
from samsaas.lib.sight import seen_by
from subscriptions import figures
from subscriptions.entitlements.terms import Book
from subscriptions.seat_counts import stored
from subscriptions.seat_counts.count import CURRENT, IN_USE
from subscriptions.usage.amounts import preferred_currency

SHOWN = 8
RECENT = 6


def home(request: SignedInRequest) -> HttpResponse:
    """What needs a person, what is paid for and used, what is not needed, charts, profiles and the latest runs."""
    if not roles.roles_of(request.user):
        return render(request, "samsaas/no_role.html", {"waiting": waiting.list_for(request.user)})
    if seen_by(request) is not None:
        return render(request, "samsaas/home_limited.html", {"profiles": list_seen(request)})
    profiles = needs.urgent_profiles(timezone.now())
    needing = [profile for profile in profiles if profile.notices]
    context: dict[str, Any] = {"needing": needing, "shown": needing[:SHOWN], "profiles": profiles[:SHOWN]}
    context["urgent"] = any(needs.is_urgent(profile) for profile in needing)
    context["runs"] = JobRun.objects.select_related("profile")[:RECENT]
    return render(request, "samsaas/home.html", context | _figures(request, profiles))


def _figures(request: SignedInRequest, profiles: list[Any]) -> dict[str, Any]:
    """Everything on the page that is a number, from what is stored: no seat is counted here."""
    seats, metrics, run, today = stored.read(), position.read_current(), position.last_whole_run(), timezone.localdate()
    book, candidates = Book.read_terms(), unneeded.read_candidates()
    _add_counts(profiles[:SHOWN], seats)
    steps = checklist.steps()
    asks_for_rule = any(step.key == checklist.RULE and not step.is_done for step in steps)
    found = needs.list_needs(
        request.user, candidates.by_state, seats=seats, metrics=metrics, book=book, whole_run=run, today=today
    )
    return {
        "steps": steps,
        "steps_done": [step.label for step in steps if step.is_done],
        "waiting": [one for one in found if not asks_for_rule or one.rank != waiting.Rank.RULES],
        "tiles": position.tiles(metrics, seats, profiles, is_owned=bool(book.entitlements)),
        "equation": position.equation(metrics) if metrics else "",
        "preferred": preferred_currency(request),
        "position_at": run.finished_at if run else None,
        "use_chart": charts.owned_and_used(metrics, book, today),
        "savings_chart": charts.freed_and_saved(today),
        **_unneeded(seats, candidates, PriceList.from_metrics(metrics)),
    }


def _add_counts(profiles: list[Any], seats: stored.SeatFigures) -> None:
    """What is listed and in use of each profile; None where it was not counted yet."""
    for profile in profiles:
        counted = seats.of_profile(profile)
        profile.current, profile.in_use = (counted[CURRENT], counted[IN_USE]) if counted is not None else (None, None)


def _unneeded(seats: stored.SeatFigures, candidates: unneeded.OpenCandidates, prices: PriceList) -> dict[str, Any]:
    bands = seats.by_band()
    return {
        "unneeded": unneeded.rows(seats, candidates, prices),
        "candidates": candidates,
        "proposed_cost": prices.cost_of(candidates.of_models()),
        "counted_at": seats.counted_at,
        "bands": figures.draw_bands(bands),
        "hatched": any(row["gaps"] for row in bands),
    }


def checklist_tick(request: SignedInRequest, step: str) -> HttpResponse:
    """Note that a step after the first connection needs nothing more."""
    if step not in checklist.STEPS:
        raise Http404
    checklist.tick(step, by=request.user, now=timezone.now())
    messages.success(request, "Ticked off.")
    return redirect("home")
