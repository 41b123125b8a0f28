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
# In the unit of PostgreSQL's planner. To count a million rows of an index costs 19,000. What it expects to cost nearly
# that is counted at once only if it turns out to be far less, such as no row at all. What it expects to cost more than
# the second took at least three times as long as a page waits, so it is not even tried.
MANY, COSTLY = 17_000, 30_000
MANY_WITHIN = 0.02  # seconds
WORTH_LOOKING = 10_000  # from here on it is worth asking whether the rows are so few that they are better read at once
COUNTED = "counted"  # asks in an address for the rows and their exact count, however long they take
ROW_COUNT = "row-count"  # the place on a page where a late count arrives
LOOKING = "looking"  # what a page shows instead of late rows, for which it asks


def is_patient(request: HttpRequest) -> bool:
    """Whether rows and their exact count are asked for however long they take: by a page without them, or its link."""
    asked_by = {request.headers.get("HX-Target"), request.headers.get("HX-Trigger")}
    return COUNTED in request.GET or bool(asked_by & {ROW_COUNT, LOOKING})


class Pages(Paginator):
    """The pages of a list. `every` is the unfiltered queryset with the joins and annotations that the rows need.

    The keys of a page are read first, then its rows. Otherwise a count would join a million rows, and page 200 would
    join ten thousand to show fifty. Unless it is `patient`, a page whose count takes long goes out before it,
    and one whose rows take long goes out before them; it asks for them then.
    """

    keys_within = KEYS_WITHIN

    def __init__(
        self, table: django_tables2.Table, per_page: int, *, every: QuerySet[Any], patient: bool = True
    ) -> None:
        super().__init__(table.rows, per_page)
        self.table, self.every, self.patient = table, every, patient
        self.seen = 0
        self.is_looking = False  # whether the page goes out before its rows are found
        self.few_keys: list[Any] | None = None

    @cached_property
    def exact_count(self) -> int | None:
        """All rows. None: counting takes too long, so the page goes out without, and its count arrives later."""
        if self.patient:
            few = self._find_few(self.table.data.data.order_by())
            self.few_keys = few and self._find_few(self._in_order(few))
            return self._count() if few is None else len(few)
        cost = self._expected_cost()
        seem_few = cost > WORTH_LOOKING and self._seem_few()
        try:
            with sql.at_most(MANY_WITHIN if cost > MANY and not seem_few else settings.COUNT_WITHIN):
                return self._count_in_time(cost, seem_few=seem_few)
        except sql.TooLong:
            return None

    def _count_in_time(self, cost: float, *, seem_few: bool) -> int | None:
        if seem_few:
            self.is_looking = True  # if this is given up, so are the rows: few are found along an index later still
            self.few_keys = self._find_few(self.table.data.data)
            self.is_looking = False
            if self.few_keys is not None:
                return len(self.few_keys)
        return None if cost > COSTLY else self._count()

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
        if self.exact_count is None:
            return self._page_before_count(str(number))
        place = self.validate_number(number)
        bottom, top = (place - 1) * self.per_page, min(place * self.per_page, self.count)
        return self._show(place, self.row_keys(bottom, top) if self.few_keys is None else self.few_keys[bottom:top])

    def _page_before_count(self, number: str) -> Page:
        """The page as far as it is found in time. Whether a page without rows exists at all is found later, too."""
        place = int(number) if re.fullmatch("[1-9][0-9]{0,8}", number) else 0
        bottom = (place - 1) * self.per_page
        keys = self._keys_in_time(bottom, bottom + self.per_page + 1) if place and not self.is_looking else None
        if keys:
            self.seen = bottom + len(keys)
        elif keys is not None and place == 1:
            self.exact_count = 0
        else:
            self.is_looking = True
        return self._show(place or 1, (keys or [])[: self.per_page])

    def _keys_in_time(self, bottom: int, top: int) -> list[Any] | None:
        """As `row_keys`; None if it takes too long, as for rows so rare that an index is read to its end for them."""
        try:
            with sql.at_most(self.keys_within, walk=True):
                return self.row_keys(bottom, top)
        except sql.TooLong:
            return None

    def _find_few(self, rows: QuerySet[Any]) -> list[Any] | None:
        """The keys of these rows, which counts them as well; None if they are not few."""
        few = list(rows.values_list("pk", flat=True)[: MOST_FOUND + 1])
        return few if len(few) <= MOST_FOUND else None

    def _in_order(self, keys: list[Any]) -> QuerySet[Any]:
        """The rows with these keys, in the order of the list."""
        rows, order = self.every.filter(pk__in=keys), self.table.data.data.query.order_by
        return rows.order_by(*order) if order else rows

    def _show(self, place: int, keys: list[Any]) -> Page:
        return Page(BoundRows(self._in_order(keys), table=self.table), place, self)


class SearchPages(Pages):
    """The pages of a search. The first `MOST_FOUND` hits are read once, in the list's order.

    Counting half a million hits takes seconds and tells the reader nothing. Where even so many take long to read, the
    page goes out before, as that of any list. `few_keys` are not for it: its own index finds hits in their order.
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
        return False

    def _find_few(self, rows: QuerySet[Any]) -> None:
        return None
