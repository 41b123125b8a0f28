"""Subscriptions without user: a work list with suggestions, and matching by hand."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from samsaas import roles
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions import directory, match_by_hand, suggest
from subscriptions.filters import LARGEST_KEY
from subscriptions.filters_people import CandidateFilter, UnmatchedFilter
from subscriptions.models import Person, Subscription
from subscriptions.tables_people import CandidateTable, UnmatchedTable


def unmatched_list(request: SignedInRequest) -> HttpResponse:
    """Current seats that have no user, each with who it could be."""
    seats = Subscription.objects.current().filter(match=None).select_related("profile")
    context = tables.listing(request, seats, UnmatchedTable, UnmatchedFilter)
    shown = list(context["table"].page.object_list.data)
    suggestions, allowed = suggest.run(shown), roles.may(request.user, "unmatched_match", method="POST")
    for seat in shown:
        seat.suggestions, seat.may_match = suggestions[seat.pk], allowed
    return render(request, "people/unmatched_list.html", context | {"back": request.get_full_path()})


def unmatched_search(request: SignedInRequest, pk: int) -> HttpResponse:
    """Look for the person behind one seat."""
    seat = get_object_or_404(Subscription.objects.select_related("profile", "match__person"), pk=pk)
    context = tables.listing(request, directory.people(), CandidateTable, CandidateFilter)
    for person in context["table"].page.object_list.data:
        person.seat = seat
    suggestions = suggest.run([seat])[seat.pk]
    context |= {"seat": seat, "suggestions": suggestions, "back": _back(request.GET) or seat.get_absolute_url()}
    return render(request, "people/unmatched_search.html", context)


@require_POST
def unmatched_match(request: SignedInRequest) -> HttpResponse:
    """One click: this seat is this person's."""
    seat, person = _pair(request.POST.get("pair", ""))
    match_by_hand.run(seat, person, by=request.user, now=timezone.now())
    place = _back(request.POST) or seat.get_absolute_url()
    # On the work list, whose form the message's button uses; the page of the seat has a button of its own.
    said = {"seat": seat, "person": person, "undo": place.startswith(reverse("unmatched_list"))}
    messages.success(request, render_to_string("people/matched.html", said))
    return redirect(place)


@require_POST
def unmatched_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a match made by hand away; the rules look again."""
    seat = get_object_or_404(Subscription.objects.select_related("profile"), pk=pk)
    if match_by_hand.remove(seat, by=request.user):
        messages.success(request, "The match made by hand was removed. The resolution rules are looking again.")
    else:
        messages.info(request, "There is no match made by hand.")
    return redirect(_back(request.POST) or seat.get_absolute_url())


def _pair(told: str) -> tuple[Subscription, Person]:
    """“seat:person”, as the buttons send it. Raises `Http404`."""
    keys = [int(key) for key in told.split(":") if key.isascii() and key.isdigit() and len(key) < 20]
    if len(keys) != 2 or max(keys) > LARGEST_KEY:
        raise Http404
    return get_object_or_404(Subscription, pk=keys[0]), get_object_or_404(Person, pk=keys[1])


def _back(given: QueryDict) -> str:
    """Where to go on, if it is a place of ours."""
    place = given.get("back", "")
    return place if url_has_allowed_host_and_scheme(place, allowed_hosts=None) else ""
