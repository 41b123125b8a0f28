"""Which candidates a press of Reclaim is about: those of a selection, or those that the address or a form names."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.http import HttpRequest

from reclamation import selection
from reclamation.selection import CANDIDATES, SelectionGone, visible_candidates
from samsaas.lib.selection import PARAMETER, load
from samsaas.lib.weigh_selection import weigh

MOST = 1000
TOO_MANY = f"At most {MOST:,} subscriptions can be reclaimed at once. Select fewer, or choose a narrower filter."


@dataclass(frozen=True)
class Chosen:
    """The keys, the fields by which the next form names them again, and what has changed since they were shown."""

    keys: list[int]
    fields: list[tuple[str, str]] = field(default_factory=list)
    change: str = ""


def read_chosen(request: HttpRequest) -> Chosen:
    """What was chosen. Raises `SelectionGone`, also where it is too much, with a text for the person."""
    if token := request.POST.get(PARAMETER) or request.GET.get(PARAMETER):
        return _read_selection(request, token)
    found = request.POST.getlist("candidate") or request.GET.getlist("candidate")
    texts = (text for text in found if text.isascii() and text.isdigit() and len(text) < 18)
    keys = list(dict.fromkeys(map(int, texts)))[:MOST]
    seen = set(visible_candidates(request).filter(pk__in=keys).values_list("pk", flat=True))
    keys = [key for key in keys if key in seen]
    return Chosen(keys, [("candidate", str(key)) for key in keys])


def forget(request: HttpRequest) -> None:
    """The selection is over: its candidates were dealt with."""
    selection.forget(request, request.POST.get(PARAMETER, ""))


def _read_selection(request: HttpRequest, token: str) -> Chosen:
    found = weigh(request, load(request, token, CANDIDATES), CANDIDATES)
    if found.able.count > MOST:
        raise SelectionGone(TOO_MANY)
    seen = request.POST.get("seen")
    change = found.change if seen is None else found.difference(seen)
    return Chosen(found.keys, [(PARAMETER, token), ("seen", found.seen)], change)
