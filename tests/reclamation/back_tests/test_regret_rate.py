"""Wilson's interval against published values, at its ends, and where there are too few to say."""

from __future__ import annotations

import pytest

from reclamation.back_tests.regret_rate import RegretRate, wilson_interval

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("back", "counted", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I: the score method without continuity correction
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # by hand: (0.1 + 3.8416/20 ± 1.96 √(0.09/10 + 3.8416/400)) / 1.38416
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (0, 10, 0.0000, 0.2775),
        (10, 10, 0.7225, 1.0000),
        (20, 200, 0.0657, 0.1494),
    ],
)
def test_the_interval_is_wilsons(back: int, counted: int, low: float, high: float) -> None:
    assert wilson_interval(back, counted) == pytest.approx((low, high), abs=0.00006)


@pytest.mark.parametrize(("back", "counted"), [(0, 0), (-1, 10), (11, 10), (1, 0)])
def test_what_is_no_share_has_no_interval(back: int, counted: int) -> None:
    with pytest.raises(ValueError, match="share"):
        wilson_interval(back, counted)


@pytest.mark.parametrize("counted", range(1, 60))
def test_the_share_lies_in_its_interval_and_the_interval_between_none_and_all(counted: int) -> None:
    for back in range(counted + 1):
        low, high = wilson_interval(back, counted)
        assert 0 <= low <= back / counted <= high <= 1


@pytest.mark.parametrize(
    ("back", "counted", "percent", "interval"),
    [
        (0, 0, "too few to say", ""),
        (9, 9, "too few to say", ""),
        (1, 10, "10.0 %", "1.8 % to 40.4 %"),
        (0, 10, "0.0 %", "0.0 % to 27.8 %"),
        (10, 10, "100.0 %", "72.2 % to 100.0 %"),
    ],
)
def test_fewer_than_ten_are_too_few_to_say(back: int, counted: int, percent: str, interval: str) -> None:
    rate = RegretRate(back, counted)
    assert (rate.percent, rate.interval) == (percent, interval)
