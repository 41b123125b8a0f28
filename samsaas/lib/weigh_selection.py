"""What an action can do with a selection: how many of its rows, why not the others, and what has changed since.

The page of an action shows the numbers and carries them (`Weighed.seen`). When it is confirmed, the rows are computed
anew. If they are not the same ones, nothing is done, and the person is told and confirms again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import CharField, Expression, Value
from django.http import HttpRequest

from samsaas.lib.selection import PARAMETER, Fingerprint, RunningDigest, SelectableList, Selection, SelectionGone, load

MOST_AT_ONCE = 10_000  # rows of one action, so that its page answers before anybody gives up
MISSING = "missing"
# What stands in the way: of one row, and of several.
Words = Mapping[str, tuple[str, str]]
NOT_THERE = {MISSING: ("is not there any more", "are not there any more")}


@dataclass(frozen=True)
class Weighed:
    """The rows that an action can be done to (`keys`, no more than `MOST_AT_ONCE`), and how many it cannot, and why."""

    keys: list[int]
    able: Fingerprint
    left_out: Counter[str]
    change: str = ""

    @property
    def total(self) -> int:
        return self.able.count + self.left_out.total()

    @property
    def is_too_large(self) -> bool:
        return self.able.count > MOST_AT_ONCE

    @property
    def seen(self) -> str:
        """What the page carries, so that the confirmation is about these rows."""
        return f"{self.able.count}-{self.able.digest}"

    def difference(self, seen: str) -> str:
        """What has changed since a page carried `seen`, in words; empty if nothing has."""
        if seen == self.seen:
            return ""
        count, _, _ = seen.partition("-")
        before = int(count) if count.isascii() and count.isdigit() and len(count) < 10 else self.able.count
        return describe_change(before, self.able.count, "this page was shown")

    def change_for(self, request: HttpRequest) -> str:
        """What has changed since this person saw the rows: in the list, or, when they confirm, on the action's page."""
        return self.difference(request.POST.get("seen", "")) if request.method == "POST" else self.change

    def in_words(self, done: str, words: Words) -> str:
        """How many rows can be, for example, *closed*, and why not the others."""
        if not self.total:
            return "Nothing of what was selected matches any more."
        if not self.left_out:
            return f"{'All ' if self.total > 1 else ''}{self.total:,} can be {done}."
        known = {**NOT_THERE, **words}
        reasons = [f"{count:,} {known[code][count > 1]}" for code, count in self.left_out.most_common()]
        able = f"{self.able.count:,}" if self.able.count else "None"
        return f"{able} of {self.total:,} can be {done}; {', '.join(reasons)}."


class NothingToDo(Exception):
    """An action cannot be done to what is selected, or not at once. The text says why, `back` is where to go."""

    def __init__(self, text: str, back: str) -> None:
        super().__init__(text)
        self.back = back


def describe_change(before: int, now: int, since: str) -> str:
    """That other rows match than before, in words."""
    if now == before:
        return f"The list has changed since {since}: other rows match now, though still {now:,}. Please look again."
    more = f"{now - before:,} more" if now > before else f"{before - now:,} fewer"
    return f"{more} {'match' if abs(now - before) > 1 else 'matches'} now than when {since}: {now:,}, not {before:,}."


def read_weighed(
    request: HttpRequest, selectable: SelectableList, obstacle: Expression | None = None
) -> tuple[Selection, Weighed]:
    """The selection that a request names, and its rows as `weigh` sorts them. Raises `SelectionGone`."""
    token = (request.POST if request.method == "POST" else request.GET).get(PARAMETER, "")
    chosen = load(request, token, selectable)
    return chosen, weigh(request, chosen, selectable, obstacle)


def read_able(
    request: HttpRequest,
    selectable: SelectableList,
    obstacle: Expression | None = None,
    *,
    done: str,
    words: Words = NOT_THERE,
    most: int,
) -> tuple[Selection, Weighed]:
    """As `read_weighed`, for an action that at least one and at most so many of the rows can be *done*.

    Raises `NothingToDo`, also where there is no such selection any more.
    """
    try:
        chosen, found = read_weighed(request, selectable, obstacle)
    except SelectionGone as gone:
        raise NothingToDo(str(gone), selectable.address("")) from gone
    back = selectable.address(chosen.filter_query, chosen.token)
    if found.able.count > most:
        raise NothingToDo(f"At most {most:,} can be {done} at once. Choose a narrower filter.", back)
    if not found.able.count:
        raise NothingToDo(f"{found.in_words(done, words)} Select others.", back)
    return chosen, found


def weigh(
    request: HttpRequest, selection: Selection, selectable: SelectableList, obstacle: Expression | None = None
) -> Weighed:
    """Sort the selected rows into those that an action can be done to and the others. One query.

    `obstacle` gives the code of what stands in the way of a row, or an empty text. Raises `SelectionGone`.
    """
    rows = selectable.rows_behind(request, selection)
    coded = rows.annotate(obstacle=obstacle or Value("", output_field=CharField()))
    keys, left_out, matching, able = [], Counter[str](), RunningDigest(), RunningDigest()
    for pk, code in coded.order_by("pk").values_list("pk", "obstacle").iterator():
        matching.add(pk)
        if not selection.holds(pk):
            continue
        if code:
            left_out[code] += 1
            continue
        able.add(pk)
        if able.count <= MOST_AT_ONCE:
            keys.append(pk)
    if not selection.seen and selection.count > matching.count:
        left_out[MISSING] = selection.count - matching.count
    return Weighed(keys, able.fingerprint, left_out, _change_since(selection.seen, matching.fingerprint))


def _change_since(seen: Fingerprint | None, now: Fingerprint) -> str:
    """What has changed since all rows of a filter were selected, in words."""
    return "" if seen in (None, now) else describe_change(seen.count, now.count, "you selected them")
