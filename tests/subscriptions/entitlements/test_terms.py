"""When an entitlement counts and what it costs: the edge cases of the rules, one by one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from samsaas.lib import money
from subscriptions.entitlements import terms
from subscriptions.entitlements.price import price_of
from subscriptions.entitlements.terms import Book, DerivedState
from subscriptions.models import Entitlement, SoftwareModel

pytestmark = pytest.mark.one_database

JUNE = date(2026, 6, 15)
numbers = iter(range(1, 100_000))


def made(**fields: Any) -> Entitlement:
    """Of one model, in use for the year 2026, 10 rights at 100 USD a year; nothing is stored."""
    given: dict[str, Any] = {"state": "in_use", "start": date(2026, 1, 1), "end": date(2026, 12, 31)}
    given |= {"purchased_rights": 10, "unit_cost": Decimal(100), "currency": "USD", "software_model_id": 1}
    return Entitlement(pk=next(numbers), **{**given, **fields})


@pytest.mark.parametrize(
    ("fields", "day", "expected"),
    [
        ({"start": JUNE, "end": JUNE}, JUNE, DerivedState.IN_USE),
        ({"start": JUNE, "end": JUNE}, date(2026, 6, 16), DerivedState.EXPIRED),
        ({"start": JUNE, "end": JUNE}, date(2026, 6, 14), DerivedState.PENDING),
        ({"end": None}, date(2099, 1, 1), DerivedState.IN_USE),
        ({"state": "build"}, JUNE, DerivedState.BUILD),
        ({"state": "retired", "retired_on": JUNE}, JUNE, DerivedState.RETIRED),
        ({"state": "retired", "retired_on": date(2026, 6, 16)}, JUNE, DerivedState.IN_USE),
        ({"state": "retired", "retired_on": date(2025, 12, 1)}, JUNE, DerivedState.RETIRED),
    ],
)
def test_it_counts_from_its_first_to_its_last_day(fields, day, expected):
    one = made(**fields)
    book = Book([one])
    assert book.state_on(one, day) == expected
    assert book.is_in_force(one, day) == (expected == DerivedState.IN_USE)


def renewed(**fields: Any) -> tuple[Entitlement, Entitlement, Book]:
    before = made()
    after = made(**{"renews_id": before.pk, "start": JUNE, "end": date(2027, 6, 14), **fields})
    return before, after, Book([before, after])


def test_a_renewal_takes_the_place_of_the_old_one_from_its_first_day_on():
    before, after, book = renewed()
    assert book.in_force(date(2026, 6, 14)) == [before]
    assert book.in_force(JUNE) == [after]
    assert book.state_on(before, JUNE) == DerivedState.SUPERSEDED


@pytest.mark.parametrize("fields", [{"state": "build"}, {"state": "retired", "retired_on": JUNE}])
def test_a_renewal_that_never_counts_takes_no_place(fields):
    before, _, book = renewed(**fields)
    assert book.in_force(date(2026, 8, 1)) == [before]


def test_a_renewal_that_is_retired_early_leaves_nothing_behind():
    _, _, book = renewed(state="retired", retired_on=date(2026, 7, 1))
    assert book.in_force(date(2026, 7, 1)) == []


def test_every_link_of_a_chain_takes_the_place_of_its_own():
    first = made()
    second = made(renews_id=first.pk, start=date(2026, 4, 1))
    third = made(renews_id=second.pk, start=date(2026, 8, 1))
    book = Book([first, second, third])
    found = [book.in_force(date(2026, month, 20)) for month in (3, 5, 9)]
    assert found == [[first], [second], [third]]


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), Fraction(1)),
        (date(2024, 1, 1), date(2024, 12, 31), Fraction(1)),
        (date(2026, 1, 1), date(2027, 6, 30), Fraction(3, 2)),
        (date(2024, 2, 29), date(2025, 2, 27), Fraction(1)),
        (date(2026, 1, 31), date(2026, 2, 27), Fraction(1, 12)),
        (date(2026, 1, 1), date(2026, 4, 10), Fraction(100, 365)),
        (JUNE, JUNE, Fraction(1, 365)),
    ],
)
def test_a_term_is_counted_in_whole_months_where_it_has_them(start, end, years):
    assert terms.term_in_years(start, end) == years


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({}, 1000),
        ({"period": "monthly"}, 12_000),
        ({"period": "quarterly"}, 4000),
        ({"total_cost": Decimal(900)}, 900),
        ({"period": "entire", "end": date(2027, 6, 30)}, Fraction(1000 * 2, 3)),
        ({"period": "entire", "end": None}, None),
        ({"unit_cost": None}, None),
        ({"unit_cost": Decimal(0)}, 0),
        ({"purchased_rights": 0, "total_cost": Decimal(50)}, 50),
        ({"unlimited": True, "purchased_rights": 0, "unit_cost": None, "total_cost": Decimal(50)}, 50),
    ],
)
def test_every_period_becomes_a_year(fields, cost):
    assert terms.yearly_cost(made(**fields)) == cost


def test_costs_that_disagree_are_noticed():
    assert terms.costs_disagree(made(total_cost=Decimal(900)))
    assert not terms.costs_disagree(made(total_cost=Decimal(1000)))


def price(rights: list[Entitlement], **model: Any) -> tuple[Any, str, tuple[str, ...]]:
    found = price_of(SoftwareModel(**model), rights)
    return found.amount, found.currency, found.flags


def test_the_price_is_the_override_or_the_average_of_known_costs():
    euros = made(currency="EUR", purchased_rights=11, unit_cost=Decimal(7))
    free = made(unit_cost=Decimal(0))
    unknown = made(unit_cost=None, currency="")
    assert price([made()], cost_override=Decimal(0), currency="JPY") == (0, "JPY", ("override",))
    assert price([made(), free]) == (Decimal("50.0000"), "USD", ())
    assert price([made(), euros]) == (Decimal("7.0000"), "EUR", ("mixed_currency",))
    assert price([made(), made(currency="EUR")]) == (Decimal("100.0000"), "EUR", ("mixed_currency",))
    assert price([made(), unknown]) == (Decimal("100.0000"), "USD", ("entitlement_without_price",))
    assert price([]) == (None, "", ("no_price",))
    unlimited = made(unlimited=True, purchased_rights=0, total_cost=Decimal(5))
    assert price([unlimited, made(purchased_rights=0)]) == (None, "", ("no_price",))


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1.005", "USD", "1.01"),
        ("-1.005", "USD", "-1.01"),
        ("0.5", "JPY", "1"),
        ("0.0005", "KWD", "0.001"),
        ("2.344", "EUR", "2.34"),
        ("99999999999", "USD", "99999999999.00"),
    ],
)
def test_money_has_the_digits_of_its_currency_half_up(amount, currency, expected):
    assert str(money.rounded(Decimal(amount), currency)) == expected


def test_an_amount_that_cannot_be_stored_is_refused():
    with pytest.raises(money.TooLarge):
        money.rounded(Decimal(10) ** 11, "USD")


def test_the_days_of_force_are_those_on_which_it_is_in_force() -> None:
    """Ends, renewals and retirements, also before the start, in every combination."""
    first = date(2026, 1, 1)
    days = [first + timedelta(days=number) for number in range(-2, 12)]
    for end, renewed, retired in product((None, 1, 5), (None, 0, 3, 9), (None, -1, 0, 4)):
        at = {"state": "retired", "retired_on": first + timedelta(days=retired)} if retired is not None else {}
        last = None if end is None else first + timedelta(days=end)
        one = Entitlement(pk=1, start=first, end=last, **{"state": "in_use", **at})
        others = []
        if renewed is not None:
            others.append(Entitlement(pk=2, start=first + timedelta(days=renewed), state="in_use", renews_id=1))
        book = Book([one, *others])
        term = book.force_of(one)
        inside = [day for day in days if term and term[0] <= day and (term[1] is None or day <= term[1])]
        assert inside == [day for day in days if book.is_in_force(one, day)], (end, renewed, retired)
