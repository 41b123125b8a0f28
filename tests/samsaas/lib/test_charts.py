"""Charts that the server draws: the numbers stand where they belong, and are readable without the picture."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from samsaas.lib.charts import HEIGHT, WIDTH, Chart, Series, draw
from tests import pages

pytestmark = pytest.mark.one_database


def chart(bars: list[Any], line: list[Any] | None = None, **more: Any) -> Chart:
    return Chart(
        title="Idle subscriptions by threshold",
        description="The longer the threshold, the fewer are idle.",
        axis="Days",
        points=[str(7 + number) for number in range(len(bars))],
        bars=Series("Subscriptions", bars),
        line=Series("Cost a year", line, write=lambda value: f"${value:,.0f}") if line is not None else None,
        **more,
    )


def written(of: Chart) -> str:
    return render_to_string("partials/chart.html", {"drawing": draw(of), "name": "slider"})


def test_the_highest_bar_stays_below_a_round_number_and_the_others_are_in_proportion() -> None:
    drawing = draw(chart([80, 40, 0]))
    assert drawing.left == ["100", "50", "0"]
    assert [float(bar["height"]) for bar in drawing.bars] == [HEIGHT * 0.8, HEIGHT * 0.4, 0]
    assert all(float(bar["y"]) + float(bar["height"]) == pytest.approx(HEIGHT) for bar in drawing.bars)


@pytest.mark.parametrize(
    ("largest", "top"),
    [
        (0, 1),
        (1, 1),
        (2, 2),
        (3, 5),
        (21, 25),
        (100, 100),
        (101, 200),
        (1_000_000, 1_000_000),
        (0.3, 0.5),
        (3e-7, 5e-7),
    ],
)
def test_the_scale_ends_at_the_next_round_number(largest: float, top: float) -> None:
    assert float(draw(chart([largest, 0])).bars[0]["height"]) == pytest.approx(HEIGHT * largest / top, abs=0.01)


def test_a_number_that_is_not_known_parts_the_line_and_is_never_drawn_as_zero() -> None:
    drawing = draw(chart([1, 1, 1, 1, 1], [10, 20, None, None, 30]))
    assert len(drawing.lines) == 1 and len(drawing.dots) == 1
    assert len(drawing.lines[0].split()) == 2
    assert "not known" in pages.text_of(written(chart([1, None])))


def test_bars_line_and_threshold_stand_above_one_another() -> None:
    drawing = draw(chart([5] * 359, [5.0] * 359, threshold=53))
    bar = drawing.bars[53]
    middle = float(bar["x"]) + float(bar["width"]) / 2
    assert middle == pytest.approx(float(drawing.threshold_at), abs=0.02)
    assert float(drawing.lines[0].split()[53].partition(",")[0]) == pytest.approx(middle, abs=0.02)
    assert [bar["chosen"] for bar in drawing.bars].index(True) == 53
    last = drawing.bars[-1]
    assert float(last["field"]) + float(last["step"]) == pytest.approx(WIDTH, abs=0.02)


def test_everything_the_picture_says_stands_in_words_beside_it() -> None:
    page = written(chart([43, 40], [5160, 4800], threshold=0, limit=(10, "10 % of all")))
    text = pages.text_of(page)
    assert "Idle subscriptions by threshold" in text and "the fewer are idle" in text
    assert "Days 7: Subscriptions 43, Cost a year $5,160" in text and "10 % of all" in text
    assert pages.rows(page, "Days") == {"7": ["43", "$5,160"], "8": ["40", "$4,800"]}
    assert re.search(r'role="img"\s+aria-labelledby="slider-title" aria-describedby="slider-text"', page)


def test_the_picture_needs_no_script_no_style_and_no_language() -> None:
    with translation.override("de"):
        page = written(chart([1234.6, 1], [0.5, 1500], threshold=1))
    assert "<script" not in page and "style=" not in page
    for name in ("x", "y", "width", "height"):
        assert all(re.fullmatch(r"[\d.]+", value) for value in re.findall(rf'\s{name}="([^"]*)"', page)), name
    assert "1,235" in page


def test_text_from_outside_stays_text() -> None:
    hostile = "<script>alert(1)</script>"
    page = written(Chart(hostile, hostile, hostile, [hostile], Series(hostile, [1]), limit=(1, hostile)))
    assert "<script>" not in page


def test_without_points_it_says_so() -> None:
    assert "nothing to show yet" in written(chart([])) and "<svg" not in written(chart([]))


def test_nothing_but_zeros_is_a_flat_chart() -> None:
    assert draw(chart([0, 0], [0, 0])).left[-1] == "0" and "<polyline" in written(chart([0, 0], [0, 0]))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: chart([1, 2], [1]),
        lambda: chart([1], threshold=1),
        lambda: chart([1], threshold=-1),
        lambda: chart([-1]),
        lambda: chart([float("nan")]),
        lambda: chart([1], [float("inf")]),
    ],
)
def test_numbers_that_cannot_be_drawn_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"chart|point"):
        wrong()


@pytest.mark.parametrize(
    ("points", "labels"),
    [
        (["1", "2"], ["1", "2"]),
        ([str(day) for day in range(7, 366)], ["7", "97", "186", "275", "365"]),
        ([f"{day} March 2026" for day in range(1, 12)], ["1 March 2026", "6 March 2026", "11 March 2026"]),
    ],
)
def test_the_axis_has_a_few_labels_in_equal_distances(points: list[str], labels: list[str]) -> None:
    numbers = [1.0] * len(points)
    assert draw(Chart("t", "d", "a", points, Series("s", numbers))).bottom == labels


def test_what_is_of_one_kind_is_drawn_to_one_scale_also_where_a_bar_is_higher_than_the_line() -> None:
    for bars, line in ([20, 10], [40, 40]), ([80, 10], [40, 40]):
        drawing = draw(chart(bars, line, one_scale=True))
        assert drawing.right == [] and "(right)" not in written(chart(bars, line, one_scale=True))
        top = int(drawing.left[0])
        heights = [HEIGHT - float(point.split(",")[1]) for point in drawing.lines[0].split(" ")]
        assert heights == [pytest.approx(HEIGHT * 40 / top, abs=0.01)] * 2
        assert float(drawing.bars[0]["height"]) == pytest.approx(HEIGHT * bars[0] / top, abs=0.01)
