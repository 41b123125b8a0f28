"""Pagination of long lists: what is counted, and how the rows of a page are fetched."""

from __future__ import annotations

import re
from typing import Any

import django_tables2
from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django_tables2.rows import BoundRows

from samsaas.lib import sql

MOST_FOUND = 10_000
KEYS_WITHIN = 0.1  # seconds to find the keys of a page of rows that are not counted yet
HITS_WITHIN = 0.03  # the same for a search: what is not found that soon is found sooner by its own index
# In the unit of PostgreSQL's planner. Counting a million rows of an index costs half of the first. What it expects to
# cost more took at least three times as long as a page waits, so it is not even tried.
COSTLY = 30_000
WORTH_LOOKING = 10_000  # from here on it is worth asking whether the rows are so few that they are better read at once
COUNTED = "counted"  # asks in an address for the exact count, however long it takes
ROW_COUNT = "row-count"  # the place on a page where a late count arrives


def waits_for_count(request: HttpRequest) -> bool:
    """Whether the exact count was asked for by itself: by the page that shows the rows already, or by its link."""
    return COUNTED in request.GET or request.headers.get("HX-Target") == ROW_COUNT


class Pages(Paginator):
    """The pages of a list. `every` is the unfiltered queryset with the joins and annotations that the rows need.

    The keys of a page are read first, then its rows. Otherwise a count would join a million rows, and page 200 would
    join ten thousand to show fifty.
    """

    keys_within = KEYS_WITHIN

    def __init__(self, table: django_tables2.Table, per_page: int, *, every: QuerySet[Any], waits: bool = True) -> None:
        super().__init__(table.rows, per_page)
        self.table, self.every, self.waits = table, every, waits
        self.seen = 0
        self.few_keys: list[Any] | None = None

    @cached_property
    def exact_count(self) -> int | None:
        """All rows. None: counting takes too long, so the page goes out without, and its count arrives later."""
        if self.waits:
            return self._count()
        cost = self._expected_cost()
        if cost > WORTH_LOOKING and self._seem_few():
            self.few_keys = self._find_few()
        if self.few_keys is not None:
            return len(self.few_keys)
        if cost > COSTLY:
            return None
        try:
            with sql.at_most(settings.COUNT_WITHIN):
                return self._count()
        except sql.TooLong:
            return None

    def _count(self) -> int:
        return int(super().count)

    def _expected_cost(self) -> float:
        """What the planner expects counting to cost; nothing where there is no planner to ask."""
        expected = sql.expect(self.table.data.data.count)
        return expected.cost if expected else 0

    def _seem_few(self) -> bool:
        """Whether the planner expects so few rows that reading the keys of all is no more work than counting them."""
        expected = sql.expect(lambda: list(self.table.data.data.order_by().values_list("pk", flat=True)))
        return expected is not None and expected.rows <= MOST_FOUND

    @property
    def is_counting(self) -> bool:
        """Whether the page goes out before its rows are counted."""
        return self.exact_count is None

    @property
    def count(self) -> int:
        """All rows; while they are not counted, those up to this page and whether another follows."""
        return self.seen if self.exact_count is None else self.exact_count

    def row_keys(self, bottom: int, top: int) -> list[Any]:
        return list(self.table.data.data.values_list("pk", flat=True)[bottom:top])

    def page(self, number: int | str) -> Page:
        if self.exact_count is None and (shown := self._page_before_count(str(number))):
            return shown
        place = self.validate_number(number)
        find = self.row_keys if self.few_keys is None else self._keys_of_few
        return self._show(place, find((place - 1) * self.per_page, min(place * self.per_page, self.count)))

    def _page_before_count(self, number: str) -> Page | None:
        """A page that has rows. Nothing, if there may be no such page: then the rows are counted after all."""
        place = int(number) if re.fullmatch("[1-9][0-9]{0,8}", number) else 0
        bottom = (place - 1) * self.per_page
        keys = self._keys_in_time(bottom, bottom + self.per_page + 1) if place else []
        if not keys:
            self.few_keys = self._find_few() if keys is None else None
            self.exact_count = self._count() if self.few_keys is None else len(self.few_keys)
            return None
        self.seen = bottom + len(keys)
        return self._show(place, keys[: self.per_page])

    def _keys_in_time(self, bottom: int, top: int) -> list[Any] | None:
        """As `row_keys`; None if it takes too long, as for rows so rare that an index is read to its end for them."""
        try:
            with sql.at_most(self.keys_within, walk=True):
                return self.row_keys(bottom, top)
        except sql.TooLong:
            return None

    def _find_few(self) -> list[Any] | None:
        """The keys of all rows, in no order, which counts them as well; None if they are not rare."""
        few = list(self.table.data.data.order_by().values_list("pk", flat=True)[: MOST_FOUND + 1])
        return few if len(few) <= MOST_FOUND else None

    def _keys_of_few(self, bottom: int, top: int) -> list[Any]:
        """As `row_keys`, where all keys are known and few: only these rows are sorted."""
        few = self.every.order_by(*self.table.data.data.query.order_by).filter(pk__in=self.few_keys or [])
        return list(few.values_list("pk", flat=True)[bottom:top])

    def _show(self, place: int, keys: list[Any]) -> Page:
        rows, order = self.every.filter(pk__in=keys), self.table.data.data.query.order_by
        return Page(BoundRows(rows.order_by(*order) if order else rows, table=self.table), place, self)


class SearchPages(Pages):
    """The pages of a search. The first `MOST_FOUND` hits are read once, in the list's order.

    Counting half a million hits takes seconds and tells the reader nothing. Where even so many take long to read, the
    page goes out before, as that of any list.
    """

    keys_within = HITS_WITHIN

    @cached_property
    def hit_keys(self) -> list[Any]:
        return super().row_keys(0, MOST_FOUND + 1)

    @property
    def is_cut(self) -> bool:
        return not self.is_counting and len(self.hit_keys) > MOST_FOUND

    def _count(self) -> int:
        return min(len(self.hit_keys), MOST_FOUND)

    def row_keys(self, bottom: int, top: int) -> list[Any]:
        return super().row_keys(bottom, top) if self.is_counting else self.hit_keys[bottom:top]

    def _seem_few(self) -> bool:
        """Its own index finds the hits of a search, in their order."""
        return False

    def _find_few(self) -> None:
        """Neither if they turn out to be rare."""
