"""The bar above a list whose rows can be selected, and the tick boxes of its rows."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from samsaas.lib.columns import MarkupColumn
from samsaas.lib.markup import visible
from samsaas.lib.selection import PARAMETER, BarAction, SelectableList, Selection, stored_selection

FORM = "selection-form"


TICK = f"""
<label>
  <input type="checkbox" id="tick-{{key}}" form="{FORM}" name="row" data-tick
    value="{{key}}"{{ticked}} autocomplete="off">
  <span class="visually-hidden">Select {{name}}</span>
</label>
"""
TICKED = SafeString(" checked")


class TickColumn(MarkupColumn):
    """The tick box of a row. It belongs to the form of the bar, so that a row may have forms of its own."""

    is_tick = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("", verbose_name="Select", orderable=False, attrs={"td": {"class": "tick"}}, **kwargs)

    def write_cell(self, context: Context, record: Any, value: Any = None) -> str:
        ticked = TICKED if context["selection"].holds(record.pk) else ""
        return format_html(TICK, key=record.pk, ticked=ticked, name=visible(record))


@dataclass(frozen=True)
class SelectionBar:
    """What the bar above a list shows and sends."""

    selection: Selection
    url: str
    place: str
    shown: list[int]
    matching: int
    is_cut: bool
    actions: Sequence[BarAction]

    @property
    def token(self) -> str:
        return self.selection.token

    @property
    def count(self) -> int:
        return self.selection.count

    @property
    def shown_ids(self) -> str:
        """The rows of this page, as the form sends them."""
        return ",".join(map(str, self.shown))

    @property
    def elsewhere(self) -> int:
        """How many of the selected rows are not on this page."""
        return self.count - sum(map(self.selection.holds, self.shown))

    @property
    def out_of(self) -> int | None:
        """How many rows the filter had when all of them were selected."""
        return self.selection.seen.count if self.selection.seen else None

    @property
    def text(self) -> str:
        return describe_count(self.count, self.out_of)

    @property
    def news(self) -> str:
        """What has changed since all rows of the filter were selected."""
        return "" if self.out_of in (None, self.matching) or self.is_cut else f"{self.matching:,} match now."

    @property
    def all_label(self) -> str:
        """The words of the button that selects all; empty if that would change nothing."""
        if self.is_cut:
            return "" if self.out_of else "Select all"
        is_done = self.out_of == self.matching == self.count
        return "" if is_done or not self.matching else f"Select all {self.matching:,}"


def describe_count(count: int, out_of: int | None) -> str:
    """How many rows are selected, in words. The script of the bar says the same."""
    if out_of is not None:
        return f"All {out_of:,} selected" if count == out_of else f"{count:,} of {out_of:,} selected"
    return f"{count:,} selected" if count else "Nothing selected"


def prepare_page(
    request: HttpRequest, context: dict[str, Any], selectable: SelectableList, actions: Sequence[BarAction]
) -> None:
    """Add tick boxes and the bar (`selection_bar`) to the context of `tables.listing`."""
    table, part = context["table"], selectable.filter_part(request.GET)
    found = stored_selection(request, request.GET.get(PARAMETER, ""), selectable)
    if found is None or found.filter_query != part:
        found = Selection(secrets.token_urlsafe(9), part)
    place = request.GET.copy()
    place.pop(PARAMETER, None)
    table.selection = found
    context["selection_bar"] = SelectionBar(
        selection=found,
        url=reverse(selectable.select_url_name),
        place=place.urlencode(),
        shown=[row.record.pk for row in table.paginated_rows],
        matching=table.paginator.count,
        is_cut=getattr(table.paginator, "is_cut", False) or getattr(table.paginator, "is_counting", False),
        actions=actions,
    )
