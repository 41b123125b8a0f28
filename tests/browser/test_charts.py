"""A chart on a page of the product, in a real browser: light, dark and on a phone."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from playwright.sync_api import Page, expect

from samsaas import policy, roles
from samsaas.lib.charts import Chart, Drawing, Series, draw

pytestmark = [pytest.mark.browser, pytest.mark.own_database, pytest.mark.django_db(transaction=True)]
PAGE = """{% extends "base.html" %}{% block title %}Charts{% endblock %}{% block heading %}Charts{% endblock %}
{% block content %}
  <section class="card"><h2>Rule</h2>{% include "partials/chart.html" with drawing=slider name="slider" %}</section>
  <section class="card"><h2>Test</h2>{% include "partials/chart.html" with drawing=test name="backtest" %}</section>
{% endblock %}"""


def slider() -> Drawing:
    """Subscriptions and money against every threshold from 7 to 365 days."""
    counts = [round(900 / (1 + (days - 7) / 40)) for days in range(7, 366)]
    return draw(
        Chart(
            "Subscriptions that would be proposed",
            "For every threshold from 7 to 365 days: how many would be proposed, and what they cost a year.",
            *("Days", [str(days) for days in range(7, 366)], Series("Subscriptions", counts)),
            Series("Cost a year", [count * 180.0 for count in counts], lambda value: f"${value:,.0f}"),
            threshold=60 - 7,
        )
    )


def backtest() -> Drawing:
    """Proposed by week, with the share that came back; too few in some weeks."""
    weeks = [f"{day} Mar" for day in range(1, 29, 2)]
    back = [None, None, 0.05, 0.08, 0.12, None, 0.07, None, None, 0.02, 0.04, 0.06, 0.05, 0.05]
    return draw(
        Chart(
            "Proposed by week, and who came back",
            "A gap in the line: too few to say.",
            *("Week of", weeks, Series("Proposed", [3, 5, 40, 41, 12, 2, 18, 4, 1, 30, 22, 25, 28, 31])),
            Series("Came back", back, lambda value: f"{value:.0%}"),
            limit=(35, "Most in one batch without a second person"),
        )
    )


@pytest.fixture
def charts(page: Page, live_server: Any, settings: Any, monkeypatch: Any) -> Page:
    def show(request: HttpRequest) -> HttpResponse:
        template = engines["django"].from_string(PAGE)
        return HttpResponse(template.render({"slider": slider(), "test": backtest()}, request))

    urls = ModuleType("urls_with_charts")
    urls.urlpatterns = [path("charts/", show, name="charts"), path("", include("samsaas.urls"))]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = urls
    monkeypatch.setitem(policy.POLICY, "charts", {"GET": roles.PUBLIC})
    page.goto(f"{live_server.url}/charts/")
    return page


def test_a_chart_passes_the_accessibility_rules_and_fits_light_dark_and_on_a_phone(charts: Page) -> None:
    found = []
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 380), ("dark", 380)):
        charts.set_viewport_size({"width": width, "height": 900})
        charts.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [(scheme, width, rule["id"]) for rule in Axe().run(charts).response["violations"]]
        wider = charts.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [(scheme, width, wider)] if wider > 0 else []
    assert found == []


def test_bars_have_their_own_width_and_the_chosen_one_stands_under_its_line(charts: Page) -> None:
    """A rule of the style sheet for another `rect` would win against the attributes, and only this would see it."""
    plot = charts.locator("#slider .chart-plot > svg")
    full = plot.bounding_box()
    chosen = charts.locator("#slider .chart-chosen").bounding_box()
    mark = charts.locator("#slider .chart-plot .chart-threshold").bounding_box()
    assert full and chosen and mark
    assert chosen["width"] < full["width"] / 300
    assert abs(chosen["x"] + chosen["width"] / 2 - mark["x"] - mark["width"] / 2) < 1.5
    heights = charts.locator("#backtest .chart-plot .chart-bar").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().height)"
    )
    assert len(heights) == 14 and max(heights) == heights[3] and min(heights) == heights[8]


def test_the_numbers_can_be_read_as_a_table_with_the_keyboard(charts: Page) -> None:
    image = charts.get_by_role("img", name="Subscriptions that would be proposed")
    expect(image).to_be_visible()
    charts.locator("#slider summary").focus()
    charts.keyboard.press("Enter")
    expect(charts.locator("#slider tr[aria-current]")).to_contain_text("60")
    expect(charts.locator("#slider tbody tr")).to_have_count(359)
