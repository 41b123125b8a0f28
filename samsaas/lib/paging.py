"""The pages of long lists: what is counted, and how the rows of one page are fetched."""

from __future__ import annotations

from typing import Any

import django_tables2
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django_tables2.rows import BoundRows

MOST_FOUND = 10_000


class Pages(Paginator):
    """The pages of a list whose rows say more than its table asks for; `every` is the whole list with all of it.

    The keys of a page are found first, then its rows: else a count joins a million rows for nothing, and the
    two-hundredth page ten thousand to show fifty.
    """

    def __init__(self, table: django_tables2.Table, per_page: int, *, every: QuerySet[Any]) -> None:
        super().__init__(table.rows, per_page)
        self.table, self.every = table, every

    def keys(self, bottom: int, top: int) -> list[Any]:
        return list(self.table.data.data.values_list("pk", flat=True)[bottom:top])

    def page(self, number: int | str) -> Page:
        place = self.validate_number(number)
        keys = self.keys((place - 1) * self.per_page, min(place * self.per_page, self.count))
        rows, order = self.every.filter(pk__in=keys), self.table.data.data.query.order_by
        return Page(BoundRows(rows.order_by(*order) if order else rows, table=self.table), place, self)


class Found(Pages):
    """The pages of a search. Its hits are looked for once, in the list's order, and no further than `MOST_FOUND`.

    Where a text is in half a million rows, counting them all takes seconds and tells nothing.
    """

    @cached_property
    def hits(self) -> list[Any]:
        return super().keys(0, MOST_FOUND + 1)

    @property
    def is_cut(self) -> bool:
        return len(self.hits) > MOST_FOUND

    @cached_property
    def count(self) -> int:
        return min(len(self.hits), MOST_FOUND)

    def keys(self, bottom: int, top: int) -> list[Any]:
        return self.hits[bottom:top]
