"""Excluding the selected subscriptions of their list by their addresses: the confirmation, and undo."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from samsaas.lib import selection
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import Selection
from samsaas.lib.weigh_selection import NothingToDo, Weighed, read_able
from subscriptions.exclusions import exclude, exclude_selected
from subscriptions.exclusions.exclude import ExclusionPreview
from subscriptions.exclusions.exclude_selected import MOST, UNDO, WORDS
from subscriptions.exclusions.forms import ReasonForm
from subscriptions.selection import SUBSCRIPTIONS

DONE = "excluded"


def user_exclusion_selected(request: SignedInRequest) -> HttpResponse:
    """Exclude the selected subscriptions, after a page that says which. Most of a team needs a tick."""
    obstacle = exclude_selected.obstacle()
    try:
        chosen, found = read_able(request, SUBSCRIPTIONS, obstacle, done=DONE, words=WORDS, most=MOST)
    except NothingToDo as reason:
        messages.error(request, str(reason))
        return redirect(reason.back)
    preview = exclude.preview_seats(exclude_selected.concerned_seats(found.keys))
    change, form = found.change_for(request), ReasonForm(request.POST or None)
    unsure = bool(preview.risky) and request.POST.get("sure") != str(preview.total)
    if change or unsure or not form.is_valid():
        context = _show(chosen, found, preview) | {"form": form, "change": change, "refused": form.is_bound and unsure}
        return render(request, "subscriptions/exclusions/exclude_selected.html", context)
    return _exclude(request, chosen, found, form.cleaned_data["reason"])


@require_POST
def user_exclusion_undo(request: SignedInRequest) -> HttpResponse:
    """Undo the last exclusion of this session where nobody has changed its rules since."""
    made = request.session.pop(UNDO, None)
    if made is None:
        messages.info(request, "There is no exclusion to undo any more.")
        return redirect(SUBSCRIPTIONS.url_name)
    rules, seats = exclude_selected.restore(made["rules"], reason=made["reason"], by=request.user)
    messages.success(request, f"{_rules(rules)} deleted. {_seats(seats, 'counts', 'count')} again.")
    if left := len(made["rules"]) - rules:
        messages.info(request, f"{left:,} stayed: changed in the meantime.")
    return redirect(made["back"])


def _exclude(request: SignedInRequest, chosen: Selection, found: Weighed, reason: str) -> HttpResponse:
    rules, seats = exclude_selected.run(found.keys, reason=reason, by=request.user)
    back = SUBSCRIPTIONS.address(chosen.filter_query)
    request.session.pop(UNDO, None)
    if rules:
        request.session[UNDO] = {"rules": rules, "reason": reason, "back": back}
    said = f"{_seats(seats, 'is', 'are')} excluded now. {_rules(len(rules))} made."
    messages.success(request, f"{said} Users are being matched again." if seats else said)
    selection.forget(request, chosen.token)
    return redirect(back)


def _show(chosen: Selection, found: Weighed, preview: ExclusionPreview) -> dict[str, Any]:
    return {
        "found": found,
        "preview": preview,
        "sentence": found.in_words(DONE, WORDS),
        "others": preview.total - found.able.count,
        "token": chosen.token,
        "back": SUBSCRIPTIONS.address(chosen.filter_query, chosen.token),
    }


def _seats(count: int, one: str, several: str) -> str:
    return f"{count:,} subscription{'' if count == 1 else 's'} {one if count == 1 else several}"


def _rules(count: int) -> str:
    return f"{count:,} rule{' was' if count == 1 else 's were'}"
