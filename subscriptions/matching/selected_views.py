"""Matching the selected subscriptions by their address or with somebody named: what is selected, confirmation, undo."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from samsaas.lib import selection
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import Selection, SelectionGone
from samsaas.lib.weigh_selection import MOST_AT_ONCE, NothingToDo, Weighed, read_able, read_weighed
from subscriptions.matching import match_selected
from subscriptions.matching.forms import AssignUserForm
from subscriptions.matching.selection import UNMATCHED, WORDS, allowed_actions
from subscriptions.models import Match, Person, Subscription

SAMPLE = 20
MOST_UNDONE = 500
ASSIGNED = "assigned"
UNDO = "samsaas_undo_matches"  # key of the session
TOO_LARGE = f"At most {MOST_AT_ONCE:,} subscriptions can be matched at once. Choose a narrower filter."


def unmatched_select(request: HttpRequest) -> HttpResponse:
    """Keep what was ticked in the list, and go on to another page of it or to an action."""
    return selection.answer(request, UNMATCHED, allowed_actions(request))


def unmatched_match_selected(request: SignedInRequest) -> HttpResponse:
    """Match the selected subscriptions by their addresses, after a page that says which, with whom, and why not."""
    try:
        chosen, found = read_weighed(request, UNMATCHED, match_selected.obstacle(timezone.localdate()))
    except SelectionGone as gone:
        messages.error(request, str(gone))
        return redirect(UNMATCHED.url_name)
    if found.is_too_large or not found.able.count:
        messages.error(request, TOO_LARGE if found.is_too_large else f"{_sentence(found)} Select others.")
        return redirect(UNMATCHED.address(chosen.filter_query, chosen.token))
    change = found.change_for(request)
    if request.method != "POST" or change:
        return render(request, "subscriptions/matching/match_selected.html", _show(found, chosen, change))
    return _match(request, found, chosen)


def unmatched_assign_selected(request: SignedInRequest) -> HttpResponse:
    """Give the selected subscriptions to one person, who is named and then shown before anything is done."""
    try:
        chosen, found = read_able(request, UNMATCHED, done=ASSIGNED, most=MOST_UNDONE)
    except NothingToDo as reason:
        messages.error(request, str(reason))
        return redirect(reason.back)
    change, form = found.change_for(request), AssignUserForm(request.POST or None)
    is_shown = form.is_valid() and form.person and request.POST.get("shown") == str(form.person.pk)
    if form.person and is_shown and not change:
        return _assign(request, found, chosen, form.person)
    context = _show_person(form) | {
        "found": found,
        "form": form,
        "change": change,
        "sentence": found.in_words(ASSIGNED, WORDS),
        "sample": Subscription.objects.filter(pk__in=found.keys[:SAMPLE]).order_by("pk"),
        "token": chosen.token,
        "back": UNMATCHED.address(chosen.filter_query, chosen.token),
    }
    return render(request, "subscriptions/matching/assign_selected.html", context)


@require_POST
def unmatched_match_undo(request: SignedInRequest) -> HttpResponse:
    """Undo the last matches of this session where nobody has changed them since."""
    made = request.session.pop(UNDO, None)
    if made is None:
        messages.info(request, "There are no matches to undo any more.")
        return redirect(UNMATCHED.url_name)
    at, now = datetime.fromisoformat(made["at"]), timezone.now()
    undone = match_selected.restore(made["keys"], made_at=at, by=request.user, now=now)
    messages.success(request, f"{_count(undone, 'match', 'matches')} {'was' if undone == 1 else 'were'} undone.")
    if left := len(made["keys"]) - undone:
        messages.info(request, f"{_count(left, 'match', 'matches')} stayed: changed in the meantime.")
    return redirect(made["back"])


def _match(request: SignedInRequest, found: Weighed, chosen: Selection) -> HttpResponse:
    now = timezone.now()
    done = match_selected.run(found.keys, by=request.user, now=now, today=timezone.localdate(now))
    return _finish(request, found, chosen, done, now, "matched")


def _assign(request: SignedInRequest, found: Weighed, chosen: Selection, person: Person) -> HttpResponse:
    now = timezone.now()
    done = match_selected.assign(found.keys, person, by=request.user, now=now)
    return _finish(request, found, chosen, done, now, f"{ASSIGNED} to {person}")


def _finish(
    request: SignedInRequest, found: Weighed, chosen: Selection, done: list[int], now: datetime, what: str
) -> HttpResponse:
    """Say what was done, keep it for undo, and go back to the list."""
    back = UNMATCHED.address(chosen.filter_query)
    request.session.pop(UNDO, None)
    if 0 < len(done) <= MOST_UNDONE:
        request.session[UNDO] = {"keys": done, "at": now.isoformat(), "back": back}
    late = found.able.count - len(done)
    messages.success(
        request,
        f"{_count(len(done), 'subscription was', 'subscriptions were')} {what}."
        + (f" {late:,} had changed and stayed." if late else ""),
    )
    selection.forget(request, chosen.token)
    return redirect(back)


def _show(found: Weighed, chosen: Selection, change: str) -> dict[str, object]:
    sample = list(Subscription.objects.filter(pk__in=found.keys[:SAMPLE]).order_by("pk"))
    people = match_selected.people_of(sample, timezone.localdate())
    pairs: list[tuple[Subscription, Person]] = [(seat, people[seat.pk]) for seat in sample if seat.pk in people]
    return {
        "found": found,
        "sentence": _sentence(found),
        "change": change,
        "verified": match_selected.count_verified(found.keys),
        "pairs": pairs,
        "is_undone": found.able.count <= MOST_UNDONE,
        "token": chosen.token,
        "back": UNMATCHED.address(chosen.filter_query, chosen.token),
    }


def _show_person(form: AssignUserForm) -> dict[str, object]:
    """The person whom the form found, and how many subscriptions are theirs already."""
    if form.person is None:
        return {}
    return {"person": form.person, "held": Match.objects.of_current_seats().filter(person=form.person).count()}


def _sentence(found: Weighed) -> str:
    return found.in_words("matched with the one person who has the address", WORDS)


def _count(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
