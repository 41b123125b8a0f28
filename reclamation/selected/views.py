"""Pages of the actions on selected candidates: what is selected, the form, and the confirmation.

Every action shows how many of the selected candidates it can be done to and why not the others, and does it to exactly
the ones it showed: if they are not the same any more, the person is told and confirms again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Case
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from reclamation.models import RemovalCandidate
from reclamation.selected import add_note, assign, close, obstacles
from reclamation.selected.forms import AssignForm, CloseSelectedForm, NoteForm
from reclamation.selection import CANDIDATES, allowed_actions, visible_candidates
from samsaas.lib import selection
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import PARAMETER, Selection, SelectionGone
from samsaas.lib.weigh_selection import MOST_AT_ONCE, Weighed, read_weighed

SAMPLE = 10
MOST_UNDONE = 500
TOO_LARGE = f"At most {MOST_AT_ONCE:,} candidates can be changed at once. Choose a narrower filter."
Act = Callable[[SignedInRequest, Weighed, dict[str, Any]], str]


@dataclass(frozen=True)
class Action:
    """An action on selected candidates: its words, its form, what stands in its way, and what it does.

    `act` returns the sentence that says what was done. With `ends`, the selection is over afterwards.
    """

    title: str
    button: str
    done: str
    form: type[forms.Form]
    act: Act
    obstacle: Case | None = None
    consequence: str = ""
    ends: bool = False


def candidate_select(request: HttpRequest) -> HttpResponse:
    """Keep what was ticked in the list, and go on to another page of it or to an action."""
    return selection.answer(request, CANDIDATES, allowed_actions(request))


def candidate_close(request: SignedInRequest) -> HttpResponse:
    """Close the selected candidates as skipped, with a reason, and keep their subscriptions for a while."""
    return _answer(request, CLOSE)


def candidate_assign(request: SignedInRequest) -> HttpResponse:
    """Assign the selected candidates to an account, a group or nobody."""
    return _answer(request, ASSIGN)


def candidate_note(request: SignedInRequest) -> HttpResponse:
    """Add a note to the selected candidates."""
    return _answer(request, NOTE)


def candidate_assign_undo(request: SignedInRequest) -> HttpResponse:
    """Undo the last assignment of this session where nobody has changed it since."""
    made = request.session.pop(assign.UNDO, None)
    if made is None:
        messages.info(request, "There is no assignment to undo any more.")
        return redirect(CANDIDATES.url_name)
    seen = set(
        visible_candidates(request).filter(pk__in=[one[0] for one in made["before"]]).values_list("pk", flat=True)
    )
    undone = assign.restore([one for one in made["before"] if one[0] in seen], made["columns"], by=request.user)
    left = len(made["before"]) - undone
    messages.success(request, f"The assignment of {_candidates(undone)} was undone.")
    if left:
        messages.info(request, f"{_candidates(left)} stayed: closed, or assigned again, in the meantime.")
    return redirect(made["back"])


def _answer(request: SignedInRequest, action: Action) -> HttpResponse:
    try:
        chosen, found = read_weighed(request, CANDIDATES, action.obstacle)
    except SelectionGone as gone:
        messages.error(request, str(gone))
        return redirect(CANDIDATES.url_name)
    if refusal := _why_not(found, action):
        messages.error(request, refusal)
        return redirect(CANDIDATES.address(chosen.filter_query, chosen.token))
    return _confirm(request, action, chosen, found)


def _why_not(found: Weighed, action: Action) -> str:
    """Why the action cannot be done to any of the rows; empty if it can."""
    if found.is_too_large:
        return TOO_LARGE
    if not found.able.count:
        return f"{found.in_words(action.done, obstacles.WORDS)} Select others."
    return ""


def _confirm(request: SignedInRequest, action: Action, chosen: Selection, found: Weighed) -> HttpResponse:
    """Show the page, or do what it showed."""
    change = found.change_for(request)
    if request.method != "POST":
        return _show(request, action, chosen, found, action.form(), change)
    form = action.form(request.POST)
    if change or not form.is_valid():
        return _show(request, action, chosen, found, form, change)
    messages.success(request, action.act(request, found, form.cleaned_data))
    if action.ends:
        selection.forget(request, chosen.token)
    return redirect(CANDIDATES.address(chosen.filter_query, "" if action.ends else chosen.token))


def _show(
    request: HttpRequest, action: Action, chosen: Selection, found: Weighed, form: forms.Form, change: str
) -> HttpResponse:
    context = {
        "action": action,
        "form": form,
        "found": found,
        "change": change,
        "sentence": found.in_words(action.done, obstacles.WORDS),
        "question": action.title.format(_candidates(found.able.count)),
        "sample": RemovalCandidate.objects.filter(pk__in=found.keys[:SAMPLE]).order_by("pk"),
        "further": max(found.able.count - SAMPLE, 0),
        "token": chosen.token,
        "back": CANDIDATES.address(chosen.filter_query, chosen.token),
    }
    return render(request, "reclamation/selected/confirm.html", context)


def _candidates(count: int) -> str:
    return f"{count:,} candidate{'' if count == 1 else 's'}"


def _closed_sentence(count: int, found: Weighed) -> str:
    """How many candidates were closed, and with how many somebody else was quicker."""
    late, was = found.able.count - count, "was" if count == 1 else "were"
    return f"{_candidates(count)} {was} closed as skipped." + (f" {late:,} had changed and stayed." if late else "")


def _close(request: SignedInRequest, found: Weighed, values: dict[str, Any]) -> str:
    count = close.run(found.keys, **values, by=request.user, now=timezone.now())
    return _closed_sentence(count, found)


def _note(request: SignedInRequest, found: Weighed, values: dict[str, Any]) -> str:
    count = add_note.run(found.keys, **values, by=request.user, now=timezone.now())
    return f"The note was added to {_candidates(count)}."


def _assign(request: SignedInRequest, found: Weighed, values: dict[str, Any]) -> str:
    to = values["assignee"]
    before = assign.run(found.keys, to.columns, by=request.user)
    request.session.pop(assign.UNDO, None)
    if 0 < len(before) <= MOST_UNDONE:
        back = CANDIDATES.address(selection.load(request, request.POST[PARAMETER], CANDIDATES).filter_query)
        request.session[assign.UNDO] = {"before": before, "columns": to.columns, "back": back}
    if not before:
        return "Nothing has changed: they were assigned like that before."
    return f"{_candidates(len(before))} {'is' if len(before) == 1 else 'are'} assigned to {to.name} now."


CLOSE = Action(
    title="Close {} as skipped?",
    button="Close Skipped",
    done="closed",
    form=CloseSelectedForm,
    act=_close,
    obstacle=obstacles.to_closing(),
    consequence=(
        "The accounts keep their subscriptions. The candidates stay readable and cannot be opened again; "
        "the subscriptions can be proposed anew."
    ),
    ends=True,
)
ASSIGN = Action(
    title="Assign {}",
    button="Assign",
    done="assigned",
    form=AssignForm,
    act=_assign,
    obstacle=obstacles.to_assigning(),
    consequence="Their states do not change, and nobody is told by mail.",
)
NOTE = Action(title="Add a note to {}", button="Add the note", done="given a note", form=NoteForm, act=_note)
