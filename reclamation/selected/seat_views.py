"""Proposing the selected subscriptions of their list for removal: what is selected, and the confirmation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from reclamation.forms import ProposalForm
from reclamation.selected import propose_seats
from reclamation.selection import CANDIDATES
from samsaas.lib import selection
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import Selection
from samsaas.lib.weigh_selection import MOST_AT_ONCE, NothingToDo, Weighed, read_able
from subscriptions.activity import last_used
from subscriptions.models import Subscription
from subscriptions.selection import SUBSCRIPTIONS
from subscriptions.usage.amounts import preferred_currency, write_amounts

SAMPLE = 10
DONE = "proposed"


def candidate_propose_selected(request: SignedInRequest) -> HttpResponse:
    """Propose the selected subscriptions, after a page that says how many, what they cost, and why not the others."""
    obstacle = propose_seats.obstacle(timezone.localdate())
    try:
        chosen, found = read_able(
            request, SUBSCRIPTIONS, obstacle, done=DONE, words=propose_seats.WORDS, most=MOST_AT_ONCE
        )
    except NothingToDo as reason:
        messages.error(request, str(reason))
        return redirect(reason.back)
    change, form = found.change_for(request), ProposalForm(request.POST or None)
    if change or not form.is_valid():
        return render(request, "reclamation/selected/propose.html", _show(request, chosen, found, form, change))
    made = propose_seats.run(found.keys, **form.cleaned_data, by=request.user, now=timezone.now())
    messages.success(request, _opened_sentence(len(made), found))
    selection.forget(request, chosen.token)
    return redirect(CANDIDATES.url_name)


def _show(request: HttpRequest, chosen: Selection, found: Weighed, form: ProposalForm, change: str) -> dict[str, Any]:
    now = timezone.now()
    outlook = propose_seats.foresee(found.keys, now)
    sample = Subscription.objects.filter(pk__in=found.keys[:SAMPLE]).select_related(*propose_seats.RELATED)
    cost = {currency: str(amount) for currency, amount in outlook.cost.items()}
    return {
        "found": found,
        "form": form,
        "change": change,
        "sentence": found.in_words(DONE, propose_seats.WORDS),
        "outlook": outlook,
        "cost": write_amounts(cost, preferred_currency(request)),
        "recent_days": propose_seats.RECENT_DAYS,
        "sample": last_used.with_idle_facts(sample.order_by("pk"), now),
        "further": max(found.able.count - SAMPLE, 0),
        "token": chosen.token,
        "back": SUBSCRIPTIONS.address(chosen.filter_query, chosen.token),
    }


def _opened_sentence(count: int, found: Weighed) -> str:
    """How many candidates were opened, and with how many somebody else was quicker."""
    late, was = found.able.count - count, "candidate was" if count == 1 else "candidates were"
    opened = f"{count:,} {was} opened. Nothing was removed."
    return opened + (f" {late:,} had changed and stayed as they were." if late else "")
