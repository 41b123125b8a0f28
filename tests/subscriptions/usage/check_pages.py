"""Open every page of a position through the test client, and compare it with what `PageRecount` says it must say."""

from __future__ import annotations

import re
from typing import Any

from subscriptions.models import MetricResult, ReconciliationRun
from tests import pages
from tests.subscriptions.reconciliation.position_world import World
from tests.subscriptions.usage.page_recount import PageRecount, write_amount, write_number
from tests.subscriptions.usage.usage_world import USAGE


class PagesOfPosition:
    """The pages of what stands today, or of one run. `reader` is a client that is signed in."""

    def __init__(self, reader: Any, world: World, expected: PageRecount, run: ReconciliationRun) -> None:
        self.reader, self.world, self.expected, self.run = reader, world, expected, run
        self.query = "" if expected.is_today else f"run={run.pk}&"

    def open(self, url: str) -> str:
        answer = self.reader.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        return str(answer.content.decode())

    def check(self) -> int:
        """Every page. Returns how many were opened."""
        self.check_publishers()
        self.check_reconciliation()
        for publisher in self.expected.found["publishers"]:
            self.check_publisher(publisher)
        for key in self.expected.models:
            self.check_model(key)
        return 2 + 2 * len(self.expected.found["publishers"]) + 6 * len(self.expected.models)

    def check_publishers(self) -> None:
        page = self.open(f"{USAGE}?{self.query}view=list")
        expected = self.expected.publisher_rows()
        if not expected:
            assert "Nothing is in the position" in page
            return
        rows = pages.rows(page, "Publisher")
        assert {name: cells[:7] for name, cells in rows.items()} == expected
        assert tiles(page) == self.expected.totals(expected)
        out = self.expected.names_out()
        narrowed = self.open(f"{USAGE}?{self.query}view=list&status=out")
        assert sorted(pages.rows(narrowed, "Publisher") if out else []) == sorted(out)

    def check_publisher(self, publisher: str) -> None:
        page = self.open(f"{USAGE}{publisher}/?{self.query}")
        assert tiles(page) == self.expected.totals([publisher])
        rows = pages.rows(page, "Product")
        assert {name: cells[:7] for name, cells in rows.items()} == self.expected.product_rows(publisher)
        for product in rows:
            url = re.search(rf'href="(/product-results/\d+/)">{product}<', page)
            assert url
            shown = pages.rows(self.open(url[1]), "Software model")
            assert shown == self.expected.model_rows(publisher, product)

    def check_model(self, key: str) -> None:
        metrics = MetricResult.objects.filter(model_result__software_model=self.world.models[key])
        of_position = {"model_result__product_result__run": self.run}
        metric = metrics.get(**({"model_result__current": True} if self.expected.is_today else of_position))
        page = self.open(metric.model_result.get_absolute_url())
        assert pages.rows(page, "License metric") == {"User Subscription": self.expected.metric_row(key)}
        page = self.open(metric.get_absolute_url())
        shown = equations(page)
        for name, sentence in self.expected.equations(key).items():
            assert shown[name] == sentence, (key, name)
        owned = self.expected.models[key]["owned"]
        assert shown["owned"].startswith(f"{owned} owned"), key
        self.check_groups(key, metric)
        self.check_seats(key, f"{metric.get_absolute_url()}subscriptions/")
        self.check_figures_that_are_links(page)

    def check_groups(self, key: str, metric: MetricResult) -> None:
        """By department or country, where the run was asked to divide."""
        if self.run.group == "none":
            return
        one = self.expected.models[key]
        expected = {
            name: [*(write_number(group[word]) for word in ("in_use", "unlicensed")), share]
            for name, group in one["groups"].items()
            for share in (write_amount(group["cost_share"], one["currency"]),)
        }
        page = self.open(f"{metric.get_absolute_url()}groups/?group={self.run.group}&per_page=100")
        assert (pages.rows(page, "Group") if expected else {}) == expected, key
        self.check_figures_that_are_links(page)

    def check_seats(self, key: str, url: str) -> None:
        """The list of subscriptions, and each of its filters."""
        covered = self.expected.cover(key)
        expected = {}
        for row, kind, place in covered:
            user = f"Person {row['person']}" if row["person"] else "No user"
            left = " Left the company" if self.expected.recount.has_left(row["person"]) else ""
            expected[self.name_of(row["id"])] = [user + left, kind, self.expected.why(key, row, kind, place)]
        rows = pages.rows(self.open(f"{url}?per_page=100"), "Subscription") if covered else {}
        shown = {name: [cells[1], cells[2], re.sub(r", ENT\d+$", "", cells[3])] for name, cells in rows.items()}
        assert shown == expected, key
        has_left = self.expected.recount.has_left
        for query, matching in (
            ("covered=allocation", [row for row, kind, _ in covered if kind == "Allocation"]),
            ("covered=right", [row for row, kind, _ in covered if kind == "Right"]),
            ("covered=none", [row for row, kind, _ in covered if kind == "Not covered"]),
            ("user=without", [row for row, _, _ in covered if not row["person"]]),
            ("user=left", [row for row, _, _ in covered if has_left(row["person"])]),
        ):
            page = self.open(f"{url}?{query}&per_page=100")
            shown_names = list(pages.rows(page, "Subscription")) if matching else []
            assert sorted(shown_names) == sorted(self.name_of(row["id"]) for row in matching), (key, query)

    def check_figures_that_are_links(self, page: str) -> None:
        """A number that leads to a list of subscriptions or candidates is the length of that list."""
        lists = r'href="(/(?:metric-results/\d+/subscriptions|removal-candidates)/[^"]*)">(.*?)</a>'
        for url, text in re.findall(lists, page, flags=re.DOTALL):
            if number := re.match(r"[\d,]+", pages.text_of(text)):
                assert pages.rows_behind(self.reader, url.replace("&amp;", "&")) == int(number[0].replace(",", "")), url

    def check_reconciliation(self) -> None:
        page = self.open(self.run.get_absolute_url())
        assert self.expected.listed_sentence() in pages.text_of(page)
        shown = pages.rows(page, "Profile")
        names = {key: profile.display_name for key, profile in self.world.profiles.items()}
        expected = {names[key]: cells for key, cells in self.expected.input_rows().items()}
        assert {name: cells[1:] for name, cells in shown.items()} == expected
        products = self.expected.found_rows()
        assert (pages.rows(page, "Product") if products else {}) == products
        for url, number in re.findall(r'<a href="([^"]*)">\s*<strong>([\d,]+)</strong>', page):
            assert pages.rows_behind(self.reader, url.replace("&amp;", "&")) == int(number.replace(",", "")), url

    def name_of(self, seat: str) -> str:
        return str(self.world.seats[seat].display_name)


def tiles(page: str) -> list[str]:
    """The text of every tile."""
    return [
        pages.text_of(inside)
        for inside in re.findall(r'<(?:a|div) class="tile[^>]*>(.*?)</(?:a|div)>\s*</li>', page, flags=re.DOTALL)
    ]


def equations(page: str) -> dict[str, str]:
    """The figures of a license metric: key -> the sentence."""
    found = re.findall(
        r'<div class="figure-row" id="([a-z-]+)">\s*<h3>.*?</h3>\s*<p class="sum">(.*?)</p>', page, flags=re.DOTALL
    )
    return {key: pages.text_of(inside) for key, inside in found}
