"""Pagination of long lists: what is counted, and how the rows of a page are fetched."""

from __future__ import annotations

from typing import Any

import django_tables2
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django_tables2.rows import BoundRows

MOST_FOUND = 10_000


class Pages(Paginator):
    """The pages of a list. `every` is the unfiltered queryset with the joins and annotations that the rows need.

    The keys of a page are read first, then its rows. Otherwise a count would join a million rows, and page 200 would
    join ten thousand to show fifty.
    """

    def __init__(self, table: django_tables2.Table, per_page: int, *, every: QuerySet[Any]) -> None:
        super().__init__(table.rows, per_page)
        self.table, self.every = table, every

    def row_keys(self, bottom: int, top: int) -> list[Any]:
        return list(self.table.data.data.values_list("pk", flat=True)[bottom:top])

    def page(self, number: int | str) -> Page:
        place = self.validate_number(number)
        keys = self.row_keys((place - 1) * self.per_page, min(place * self.per_page, self.count))
        rows, order = self.every.filter(pk__in=keys), self.table.data.data.query.order_by
        return Page(BoundRows(rows.order_by(*order) if order else rows, table=self.table), place, self)


class SearchPages(Pages):
    """The pages of a search. The first `MOST_FOUND` hits are read once, in the list's order.

    Counting half a million hits takes seconds and tells the reader nothing.
    """

    @cached_property
    def hit_keys(self) -> list[Any]:
        return super().row_keys(0, MOST_FOUND + 1)

    @property
    def is_cut(self) -> bool:
        return len(self.hit_keys) > MOST_FOUND

    @cached_property
    def count(self) -> int:
        return min(len(self.hit_keys), MOST_FOUND)

    def row_keys(self, bottom: int, top: int) -> list[Any]:
        return self.hit_keys[bottom:top]
