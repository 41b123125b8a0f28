"""Reclamation rules: list, one with all that is known of it, what it observed. Exemptions: list, add, end, import."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from reclamation.models import Exemption, Observation, ReclamationRule
from reclamation.rules import exempt, figures, slider, versions, words
from reclamation.rules.exemption_file import MOST_LINES
from reclamation.rules.filters import ExemptionFilter, ObservationFilter, RuleFilter
from reclamation.rules.forms import ExemptionFileForm, ExemptionForm
from reclamation.rules.scope import read_scope
from reclamation.rules.selection import END, EXEMPTIONS, RELATED, allowed_actions, visible_exemptions
from reclamation.rules.sums_of_rule import read_sums
from reclamation.rules.tables import ExemptionTable, ObservationTable, RuleTable
from samsaas.lib import act_on_rows, selection, selection_bar, tables, uploads
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import read_for_file
from subscriptions.models import Person, Subscription

SHOWN_VERSIONS = 20


def rule_list(request: HttpRequest) -> HttpResponse:
    """All rules with what became of them."""
    rows = figures.with_figures(ReclamationRule.objects.select_related("software_model"))
    context = tables.listing(request, rows, RuleTable, RuleFilter)
    return render(request, "reclamation/rules/rule_list.html", context)


def rule_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule: settings, sums of its subscriptions, the slider, what became of its candidates, and its versions."""
    related = ("software_model", "assignment_group", "reviewed_by")
    rule: Any = get_object_or_404(figures.with_figures(ReclamationRule.objects.select_related(*related)), pk=pk)
    now = timezone.now()
    scope = read_scope(rule, now)
    settings = versions.settings_as_stored(rule)
    newest = list(rule.versions.select_related("by")[: SHOWN_VERSIONS + 1])
    context = {
        "rule": rule,
        "sections": words.describe(settings, words.read_names(settings)),
        "sums": read_sums(rule, scope),
        "slider": slider.draw(rule, scope, asked=request.GET.get("threshold", "")),
        "regret": figures.regret_of(rule),
        "exemptions": figures.count_exemptions(rule, timezone.localdate()),
        "after_notice": figures.count_after_notice(rule),
        "observed": rule.observations.count(),
        "versions": words.compare_versions(newest),
        "first_version": newest[-1] if 0 < len(newest) <= SHOWN_VERSIONS else None,
        "legal_hold": versions.legal_hold_checked(rule),
    }
    return render(request, "reclamation/rules/rule_detail.html", context)


def rule_observations(request: HttpRequest, pk: int) -> HttpResponse:
    """What a rule that observes would have proposed."""
    rule = get_object_or_404(ReclamationRule.objects.select_related("software_model"), pk=pk)
    rows = Observation.objects.filter(rule=rule).select_related("subscription__profile", "rule_version")
    context = tables.listing(request, rows, ObservationTable, ObservationFilter)
    return render(request, "reclamation/rules/rule_observations.html", context | {"rule": rule})


def exemption_list(request: HttpRequest) -> HttpResponse:
    """The exemptions. Without a filter those that are valid today."""
    rows, chosen = visible_exemptions(request), read_for_file(request, EXEMPTIONS)
    actions = allowed_actions(request)
    hidden = () if actions else ("tick", "end")
    context = tables.listing(request, rows, ExemptionTable, ExemptionFilter, chosen=chosen, exclude=hidden)
    if actions:
        selection_bar.prepare_page(request, context, EXEMPTIONS, actions)
    return render(request, "reclamation/rules/exemption_list.html", context)


def exemption_select(request: HttpRequest) -> HttpResponse:
    """Keep what was ticked in the list, and go on to another page of it or to an action."""
    return selection.answer(request, EXEMPTIONS, allowed_actions(request))


def exemption_end_selected(request: SignedInRequest) -> HttpResponse:
    """End the selected exemptions after a confirmation."""
    return act_on_rows.answer(request, END)


def exemption_new(request: SignedInRequest) -> HttpResponse:
    """Exempt a person by number or address, or whoever the address of the page names."""
    now, target = timezone.now(), _named_target(request)
    form = ExemptionForm(request.POST or None, today=timezone.localdate(), target=target)
    if form.is_valid():
        made = exempt.add(form.protection, by=request.user, now=now)
        messages.success(request, f"{made.person or made.subscription} is exempt. No rule proposes it.")
        return redirect("exemption_list")
    context = {"form": form, "target": target, "is_person": isinstance(target, Person)}
    return render(request, "reclamation/rules/exemption_new.html", context)


def _named_target(request: HttpRequest) -> Person | Subscription | None:
    """The person or subscription in the query string; a page of 404 for one that there is not."""
    kinds: tuple[tuple[str, Any], ...] = (("person", Person), ("subscription", Subscription))
    for name, model in kinds:
        key = request.GET.get(name, "")
        if key:
            is_key = key.isascii() and key.isdigit() and len(key) < 18
            found: Person | Subscription = get_object_or_404(model, pk=int(key) if is_key else 0)
            return found
    return None


def exemption_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """End an exemption after a confirmation."""
    exemption = get_object_or_404(Exemption.objects.select_related(*RELATED), pk=pk)
    if exemption.ended_at:
        messages.info(request, "This exemption has ended already.")
        return redirect("exemption_list")
    if request.method == "POST":
        exempt.end(exemption, by=request.user, now=timezone.now())
        messages.success(request, "The exemption was ended.")
        return redirect("exemption_list")
    return render(request, "reclamation/rules/exemption_end.html", {"exemption": exemption})


def exemption_import(request: SignedInRequest) -> HttpResponse:
    """Read a list of people, show line by line what it would do, and do that when it is confirmed."""
    bound = request.method == "POST"
    form = ExemptionFileForm(
        request.POST if bound else None, request.FILES if bound else None, today=timezone.localdate()
    )
    if uploads.is_oversized(request, "file"):
        form.add_error("file", "The file is too large. Upload it in parts.")
    if bound and form.is_valid() and "apply" in request.POST:
        for protection in form.accepted:
            exempt.add(protection, by=request.user, now=timezone.now())
        messages.success(request, f"{len(form.accepted):,} people are exempt.")
        return redirect("exemption_list")
    shown = form if bound and not form.errors else None
    context = {"form": form, "preview": shown, "most": MOST_LINES}
    return render(request, "reclamation/rules/exemption_import.html", context)
