"""Charts that the server draws: bars and a line over one axis, with a threshold and a limit.

`draw` turns numbers into a `Drawing`, which `partials/chart.html` shows as SVG beside the same numbers as a table. No
script and no inline style is needed. The picture is stretched to the width of the page, so all text stands outside it.
Numbers for SVG attributes are texts already, because a template would write them in the reader's language.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 1000, 240
GAP, MOST_WITH_GAP = 0.15, 60  # of the width of a bar; more bars than these stand without one
NICE = (1, 2, 2.5, 5, 10)
SHORT_LABEL, FEW_LABELS, MORE_LABELS = 5, 3, 5  # characters; labels of the axis at the bottom


@dataclass(frozen=True)
class Series:
    """One number for every point, or None where it is not known. `write` says how a number is shown."""

    label: str
    values: Sequence[float | None]
    write: Callable[[float], str] = "{:,.0f}".format

    def __post_init__(self) -> None:
        if any(value is not None and (value < 0 or not math.isfinite(value)) for value in self.values):
            raise ValueError("A chart shows numbers from zero on.")

    def in_words(self, place: int) -> str:
        value = self.values[place]
        return "not known" if value is None else self.write(value)


@dataclass(frozen=True)
class Chart:
    """What to draw. `points` are the labels of the axis at the bottom, with `axis` as its name.

    `threshold` is the place of the point that is chosen now, `limit` a value of the bars that matters, with its words.
    With `one_scale` bars and line are of the same kind, and drawn to the same scale.
    """

    title: str
    description: str
    axis: str
    points: Sequence[str]
    bars: Series
    line: Series | None = None
    threshold: int | None = None
    limit: tuple[float, str] | None = None
    one_scale: bool = False

    def __post_init__(self) -> None:
        lengths = {len(one.values) for one in (self.bars, self.line) if one}
        if lengths != {len(self.points)}:
            raise ValueError("Every series needs one value for each point.")
        if self.threshold is not None and not 0 <= self.threshold < len(self.points):
            raise ValueError("The threshold is none of the points.")


@dataclass(frozen=True)
class Scale:
    """An axis from zero to a round number."""

    top: float

    @classmethod
    def up_to(cls, values: Sequence[float]) -> Scale:
        """The smallest round scale that has room for all values."""
        largest = max(values, default=0)
        if not largest:
            return cls(1)
        size = 10 ** math.floor(math.log10(largest))
        return cls(next(step * size for step in NICE if step * size >= largest * (1 - 1e-9)))

    def height_of(self, value: float) -> float:
        """How far above the ground a value is, in units of the picture."""
        return HEIGHT * value / self.top


@dataclass(frozen=True)
class Drawing:
    """A chart as its template needs it. All coordinates are texts."""

    chart: Chart
    bars: list[dict[str, Any]]
    lines: list[str]
    dots: list[str]
    left: list[str]
    right: list[str]
    bottom: list[str]
    threshold_at: str
    limit_at: str
    threshold_words: str
    rows: list[tuple[str, list[str], bool]]
    width: int = WIDTH
    height: int = HEIGHT
    middle: int = HEIGHT // 2
    headings: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.chart.points

    # Made here, since a template takes several times as long for the points of a year.
    def bar_marks(self) -> SafeString:
        """The bars as markup."""
        mark = '<rect class="chart-bar{}" x="{}" y="{}" width="{}" height="{}"/>'
        tones = {True: " chart-chosen", False: ""}
        return format_html_join(
            "\n", mark, ((tones[b["chosen"]], b["x"], b["y"], b["width"], b["height"]) for b in self.bars)
        )

    def field_marks(self) -> SafeString:
        """The fields that say what stands at a point, as markup."""
        mark = '<rect class="chart-field" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>'
        return format_html_join("\n", mark, ((b["field"], b["step"], self.height, b["words"]) for b in self.bars))

    def table_rows(self) -> SafeString:
        """The same numbers as rows of a table."""
        chosen = SafeString(' class="chart-row-now" aria-current="true"')
        return format_html_join(
            "\n",
            '<tr{}><th scope="row">{}</th>{}</tr>',
            (
                (chosen if is_chosen else "", label, format_html_join("", '<td class="num">{}</td>', zip(numbers)))
                for label, numbers, is_chosen in self.rows
            ),
        )


def draw(chart: Chart) -> Drawing:
    """Compute where everything stands."""
    known = [value for value in chart.bars.values if value is not None]
    of_line = [value for value in chart.line.values if value is not None] if chart.line else []
    left = Scale.up_to([*known, *([chart.limit[0]] if chart.limit else []), *(of_line if chart.one_scale else [])])
    series = [chart.bars, chart.line] if chart.line else [chart.bars]
    right = Scale.up_to(of_line) if chart.line and not chart.one_scale else None
    middles = [_middle(chart, place) for place in range(len(chart.points))]
    pieces = _pieces(chart.line.values, middles, right or left) if chart.line else []
    return Drawing(
        chart=chart,
        bars=[_bar(chart, place, left, series) for place in range(len(chart.points))],
        lines=[" ".join(piece) for piece in pieces if len(piece) > 1],
        dots=[piece[0].replace(",", " ") for piece in pieces if len(piece) == 1],
        left=_scale_labels(left, chart.bars),
        right=_scale_labels(right, chart.line) if chart.line and right else [],
        bottom=_axis_labels(chart.points),
        threshold_at="" if chart.threshold is None else _text(middles[chart.threshold]),
        limit_at=_text(HEIGHT - left.height_of(chart.limit[0])) if chart.limit else "",
        threshold_words="" if chart.threshold is None else describe_point(chart.axis, chart, series, chart.threshold),
        rows=[
            (label, [one.in_words(place) for one in series], place == chart.threshold)
            for place, label in enumerate(chart.points)
        ],
        headings=[one.label for one in series],
    )


def describe_point(axis: str, chart: Chart, series: Sequence[Series], place: int) -> str:
    """One point in words: *Threshold 60 days: Subscriptions 43, Cost a year $5,160*."""
    numbers = ", ".join(f"{one.label} {one.in_words(place)}" for one in series)
    return f"{axis} {chart.points[place]}: {numbers}"


def _middle(chart: Chart, place: int) -> float:
    return WIDTH * (place + 0.5) / len(chart.points)


def _bar(chart: Chart, place: int, scale: Scale, series: Sequence[Series]) -> dict[str, Any]:
    """A bar, and the field over its whole height that shows its words."""
    step, value = WIDTH / len(chart.points), chart.bars.values[place]
    height, gap = scale.height_of(value or 0), GAP if len(chart.points) <= MOST_WITH_GAP else 0
    return {
        "x": _text(step * (place + gap / 2)),
        "width": _text(step * (1 - gap)),
        "y": _text(HEIGHT - height),
        "height": _text(height),
        "field": _text(step * place),
        "step": _text(step),
        "chosen": place == chart.threshold,
        "words": describe_point(chart.axis, chart, series, place),
    }


def _pieces(values: Sequence[float | None], middles: Sequence[float], scale: Scale) -> list[list[str]]:
    """The points of the line; a number that is not known parts it."""
    pieces: list[list[str]] = [[]]
    for value, middle in zip(values, middles, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{_text(middle)},{_text(HEIGHT - scale.height_of(value))}")
    return [piece for piece in pieces if piece]


def _scale_labels(scale: Scale, series: Series) -> list[str]:
    """The words of an axis at the side, from the top. Half of the scale is left out where it reads like an end."""
    top, half, ground = (series.write(value) for value in (scale.top, scale.top / 2, 0))
    return [top, "" if half in (top, ground) else half, ground]


def _axis_labels(points: Sequence[str]) -> list[str]:
    """Words of the axis at the bottom, in equal distances."""
    wanted = MORE_LABELS if max(map(len, points), default=0) <= SHORT_LABEL else FEW_LABELS
    if len(points) <= wanted:
        return list(points)
    return [points[round(place * (len(points) - 1) / (wanted - 1))] for place in range(wanted)]


def _text(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
