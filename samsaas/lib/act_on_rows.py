"""One action on each of the selected rows: a page that says which and why not the others, then one row after the other.

It is for what is done to one row in a transaction of its own, in no more than `MOST_ROWS` of them. What can be written
for all rows at once has a verb of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Expression
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from samsaas.lib import selection
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import SelectableList, Selection
from samsaas.lib.weigh_selection import NothingToDo, Weighed, Words, read_able

MOST_ROWS = 500
SAMPLE = 10


@dataclass(frozen=True)
class RowAction:
    """What is done to each selected row, and its words: for example 3 *exemptions* can be *ended*.

    `act` returns why a row stays as it is; an empty text means that it was done. `obstacle` is known before.
    """

    selectable: SelectableList
    one: str
    several: str
    button: str
    done: str
    act: Callable[[Any, User, datetime], str]
    obstacle: Expression
    words: Words
    consequence: str = ""

    def count(self, number: int) -> str:
        return f"{number:,} {self.one if number == 1 else self.several}"


def answer(request: SignedInRequest, action: RowAction) -> HttpResponse:
    """Show what is selected, or do it to exactly the rows that were shown."""
    try:
        chosen, found = read_able(
            request, action.selectable, action.obstacle, done=action.done, words=action.words, most=MOST_ROWS
        )
    except NothingToDo as reason:
        messages.error(request, str(reason))
        return redirect(reason.back)
    change = found.change_for(request)
    if request.method == "POST" and not change:
        return _act(request, action, chosen, found)
    context = {
        "action": action,
        "found": found,
        "change": change,
        "question": f"{action.button} {action.count(found.able.count)}?",
        "sentence": found.in_words(action.done, action.words),
        "sample": action.selectable.rows(request).filter(pk__in=found.keys[:SAMPLE]).order_by("pk"),
        "further": max(found.able.count - SAMPLE, 0),
        "token": chosen.token,
        "back": action.selectable.address(chosen.filter_query, chosen.token),
    }
    return render(request, "partials/act_on_rows.html", context)


def _act(request: SignedInRequest, action: RowAction, chosen: Selection, found: Weighed) -> HttpResponse:
    now, stayed = timezone.now(), Counter[str]()
    for row in action.selectable.rows(request).filter(pk__in=found.keys).order_by("pk"):
        stayed[action.act(row, request.user, now)] += 1
    done = stayed.pop("", 0)
    messages.success(request, f"{action.count(done)} {'was' if done == 1 else 'were'} {action.done}.")
    for why, number in stayed.most_common():
        messages.info(request, f"{action.count(number)} stayed. {why}")
    selection.forget(request, chosen.token)
    return redirect(action.selectable.address(chosen.filter_query))
