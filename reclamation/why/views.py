"""Why and why not: the reasons of a profile's subscriptions, counted by its last find, and the rows of each now."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation import sums, terms
from reclamation.terms import Standing
from reclamation.verdicts import with_verdicts
from reclamation.why import figures
from reclamation.why.filters import ReasonFilter
from reclamation.why.tables import ReasonTable
from samsaas.lib import tables
from subscriptions.activity.coverage.reasons import doubted_run
from subscriptions.models import Subscription


def reason_list(request: HttpRequest) -> HttpResponse:
    """Every profile with what its last find counted."""
    return render(request, "reclamation/why/reason_list.html", {"finds": figures.latest_finds(request)})


def reason_sums(request: HttpRequest, pk: int) -> HttpResponse:
    """The sums of one profile, of all its rules or of one. They add up to its subscriptions."""
    profile = get_object_or_404(IntegrationProfile, pk=pk)
    last, rule = sums.of_last_find(profile), request.GET.get("rule", "")
    context: dict[str, Any] = {"profile": profile, "last": last, "doubted": doubted_run(profile)}
    if last:
        rows = figures.add_up(profile, figures.chosen_sums(last, rule), rule)
        context |= {"rows": rows, "total": sum(row["count"] for row in rows), "words": figures.equation(rows)}
        context["tabs"] = figures.tabs(profile, last, rule)
        context["rule"] = figures.only_rule(last, rule)
    return render(request, "reclamation/why/reason_sums.html", context)


def reason_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The listed subscriptions of a profile with the reason each has now."""
    profile, now = get_object_or_404(IntegrationProfile, pk=pk), timezone.now()
    related = ("profile", "identifier__software_model", "match__person", "last_activity")

    def describe(seats: Any) -> Any:
        standing, rules = Standing.of_profile(profile, now), terms.read_rules(profile, now)
        return with_verdicts(seats.select_related(*related), standing, rules)

    listed = Subscription.objects.filter(profile=profile).listed()
    context = tables.listing(request, listed, ReasonTable, ReasonFilter, describe=describe)
    context |= {"profile": profile, "last": sums.of_last_find(profile)}
    return render(request, "reclamation/why/reason_rows.html", context)
