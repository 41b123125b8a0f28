"""License Workbench in Core UI, and its buttons: Run Reconciliation, and pinning a publisher."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from samsaas.lib.http import SignedInRequest
from subscriptions import recompute
from subscriptions.models import ReconciliationRun
from subscriptions.question import ask
from subscriptions.usage import publishers
from subscriptions.workbench import cards, tree

UNDER_WAY = "The same was asked for already. This is the reconciliation under way."
PLACE = "admin:license_workbench"


def license_workbench(request: SignedInRequest, site: AdminSite) -> HttpResponse:
    """All publishers, those out of compliance, or the pinned ones; with `publisher` also the tree of that one."""
    tab = request.GET.get("tab", cards.ALL)
    chosen, only_out = request.GET.get("publisher", ""), request.GET.get("only") == cards.OUT
    found = tree.read_tree(chosen, only_out=only_out) if chosen else []
    if chosen and not found and not only_out:
        raise Http404("No product of this publisher is in the license position.")
    context = {
        **site.each_context(request),
        "title": "License Workbench",
        "tabs": cards.TABS.items(),
        "tab": tab if tab in cards.TABS else cards.ALL,
        "cards": cards.list_cards(request.user, tab if tab in cards.TABS else cards.ALL),
        "chosen": chosen,
        "only_out": only_out,
        "products": found,
        "last_run": ReconciliationRun.objects.filter(question_date=None).defer("figures", "inputs").first(),
    }
    return render(request, "admin/workbench/license_workbench.html", context)


@require_POST
def run_reconciliation(request: SignedInRequest, site: AdminSite) -> HttpResponse:
    """Ask for the position of today, of one publisher if it is named. The same question under way leads to that one."""
    now = timezone.now()
    publisher = request.POST.get("publisher", "")
    asked, fresh = recompute.request(
        ask(now=now, publishers=(publisher,) if publisher else ()), by=request.user, now=now
    )
    if asked is None:
        messages.error(request, "It has ended in this moment. Ask once more.")
        return redirect(PLACE)
    messages.info(request, f"{asked.number} was asked for." if fresh else UNDER_WAY)
    return redirect("admin:subscriptions_reconciliationrun_change", asked.pk)


@require_POST
def pin_publisher(request: SignedInRequest, site: AdminSite) -> HttpResponse:
    """Show a publisher first, or no longer."""
    name = request.POST.get("publisher", "")
    if not publishers.pin(name, by=request.user, pinned=request.POST.get("pinned") == "yes"):
        messages.error(request, "No product of this publisher is in the license position.")
    tab = request.POST.get("tab", "")
    return redirect(f"{reverse(PLACE)}?{urlencode({'tab': tab})}" if tab in cards.TABS else PLACE)
