"""Matching the selected subscriptions with whoever has their address: what is selected, the confirmation, undo."""

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
from samsaas.lib.weigh_selection import MOST_AT_ONCE, Weighed, read_weighed
from subscriptions.matching import match_selected
from subscriptions.matching.selection import UNMATCHED, WORDS, allowed_actions
from subscriptions.models import Person, Subscription

SAMPLE = 20
MOST_UNDONE = 500
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
    back = UNMATCHED.address(chosen.filter_query)
    request.session.pop(UNDO, None)
    if 0 < len(done) <= MOST_UNDONE:
        request.session[UNDO] = {"keys": done, "at": now.isoformat(), "back": back}
    late = found.able.count - len(done)
    messages.success(
        request,
        f"{_count(len(done), 'subscription was', 'subscriptions were')} matched."
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


def _sentence(found: Weighed) -> str:
    return found.in_words("matched with the one person who has the address", WORDS)


def _count(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
