"""Reading through the API: every kind of row, with the filters of its page, page by page, at a constant cost."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from samsaas.api import tokens
from tests import factories, worlds
from tests.samsaas.api import world

pytestmark = pytest.mark.django_db


def cost(caller: world.Caller, path: str) -> int:
    """How many queries a call makes. Both are of one moment: the last use of a token is written once a minute."""
    with time_machine.travel(timezone.now(), tick=False):
        caller.get(path)
        return _queries(caller, path)


def _queries(caller: world.Caller, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert caller.get(path).status_code == 200, path
    return len(asked)


def test_every_list_costs_the_same_for_two_rows_and_for_many(caller: Any) -> None:
    script = caller()
    for _ in range(2):
        world.add_rows(script.user)
    world.reconcile(script.user)
    few = {name: (cost(script, path), len(script.results(path))) for name, path in world.lists().items()}
    for _ in range(6):
        world.add_rows(script.user)
    world.reconcile(script.user)
    many = {name: (cost(script, path), len(script.results(path))) for name, path in world.lists().items()}
    assert all(rows for _, rows in few.values()), few
    grown = [name for name in few if many[name][1] > few[name][1]]
    assert len(grown) >= len(few) - 1, set(few) - set(grown)  # the ledger's product is one
    assert {name: many[name][0] for name in many} == {name: few[name][0] for name in few}


def test_every_row_of_a_list_is_read_by_its_number(caller: Any) -> None:
    script = caller()
    world.add_rows(script.user)
    world.reconcile(script.user)
    for name, path in world.lists().items():
        for row in script.results(path) if name != "renewal_list" else ():
            answer = script.get(f"{path}/{row['id']}")
            assert answer.status_code == 200 and answer.json() == row, name


def test_pages_follow_each_other_without_a_gap_while_rows_are_added(caller: Any) -> None:
    script = caller()
    made = [factories.person().pk for _ in range(7)]
    answer, seen = script.get("people?limit=3").json(), []
    while True:
        seen += [row["id"] for row in answer["results"]]
        factories.person()
        if not answer["next"]:
            break
        answer = script.get(answer["next"]).json()
    assert seen == made[::-1]


def test_a_cursor_opens_its_own_list_with_its_own_filters_only(caller: Any) -> None:
    script = caller()
    for number in range(4):
        factories.run()
        factories.person(department="Sales" if number < 3 else "")
    following = script.get("people?limit=1&department=Sales").json()["next"]
    cursor = following.partition("cursor=")[2]
    assert script.get(following).status_code == 200
    for path in ("runs", "people", "people?department=", "people?department=Sales&state=left"):
        answer = script.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
        assert answer.status_code == 422 and list(answer.json()["errors"]) == ["cursor"], path
    for wrong in (cursor[:-1], "x", "", "%00", "a" * 3000):
        assert script.get(f"people?department=Sales&cursor={wrong}").status_code in (400, 422), wrong


@pytest.mark.parametrize("limit", ["null", "0", "-1", "1001", "1e3", "", "٣", "9" * 400])
def test_a_limit_that_is_no_number_from_1_to_1000_is_refused(caller: Any, limit: str) -> None:
    answer = caller().get(f"people?limit={limit}")
    assert answer.status_code == 422 and list(answer.json()["errors"]) == ["limit"]


def test_undeclared_and_repeated_parameters_are_refused_by_name(caller: Any) -> None:
    script = caller()
    answer = script.get("people?frob=1&format=api&state=left&state=active")
    assert answer.status_code == 422 and set(answer.json()["errors"]) == {"frob", "format", "state"}
    assert script.get(f"people/{factories.person().pk}?limit=3").status_code == 422


def test_filters_are_those_of_the_page_and_their_errors_its_words(caller: Any) -> None:
    script = caller()
    seat = factories.subscription(display_name="Zoë Quist")
    factories.subscription(ended_at=seat.changed_at)
    assert [row["id"] for row in script.results("subscriptions?q=quist")] == [seat.pk]
    assert [row["id"] for row in script.results("subscriptions")] == [seat.pk]
    assert len(script.results("subscriptions?seats=all")) == 2
    answer = script.get("subscriptions?status=xx&profile=99999999&ended_by=x")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "status": ["There is no such choice."],
        "profile": ["There is no such choice."],
        "ended_by": ["Enter a whole number."],
    }


def test_nonsense_in_every_parameter_of_every_list_is_an_error_and_never_a_fault(
    caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CALLS_PER_MINUTE", 10_000)
    script = caller()
    world.add_rows(script.user)
    faults = []
    for path in world.lists().values():
        names = tuple(one["name"] for one in world.document()["paths"][path]["get"]["parameters"])
        halves = names[::2], names[1::2]  # all at once, some addresses would be too long
        for query in chain.from_iterable(map(worlds.nonsense, halves)):
            answer = script.get(f"{path}?{query}")
            if answer.status_code not in (400, 422) or answer["Content-Type"] != "application/problem+json":
                faults.append((path, query, answer.status_code))
    assert faults == []


def test_money_is_an_amount_and_a_currency_and_times_are_in_utc(caller: Any, settings: Any) -> None:
    script = caller()
    world.add_rows(script.user)
    world.reconcile(script.user)
    one = script.results("entitlements")[0]
    assert one["unit_cost"] == {"amount": "120.00", "currency": "EUR"} and one["published_at"].endswith("Z")
    assert script.results("savings")[0]["amount"] == {"amount": "120.00", "currency": "EUR"}
    assert script.results("renewals")[0]["entitlement"] == one["id"]


def test_no_secret_of_a_credential_and_no_answer_of_a_vendor_is_in_any_row(caller: Any) -> None:
    script = caller()
    world.add_rows(script.user)
    factories.run(error_body="a vendor's words", error_kind="Refused")
    for path in world.lists().values():
        text = script.get(path).content.decode()
        assert "client_secret" not in text and "refresh_token" not in text and "a vendor's words" not in text


def test_a_flag_is_true_or_false_and_any_other_word_is_refused_by_name(caller: Any) -> None:
    script = caller()
    for path, name in (("allocations", "open"), ("candidates", "counted")):
        answers = {text: script.get(f"{path}?{name}={text}") for text in ("true", "False", "", "AAA", "2")}
        assert [answer.status_code for answer in answers.values()] == [200, 200, 200, 422, 422], path
        assert answers["AAA"].json()["errors"] == {name: ["Give true or false."]}
