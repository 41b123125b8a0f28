"""Schemathesis calls every operation of the API at random, and finds nothing. `make prove` does it for longer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.samsaas.api import generated_client, random_calls

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_random_calls_of_every_operation_get_answers_that_the_document_describes(caller: Any, unlimited: None) -> None:
    calls = random_calls.call_all(caller(), examples=2)
    assert calls.findings == {}
    assert len(calls.called) == len(generated_client.operations())
    assert sum(calls.called.values()) > len(calls.called)


def test_an_empty_number_day_or_list_is_refused_and_not_taken_for_no_filter(caller: Any) -> None:
    script = caller()
    for query in ("runs?since=", "subscriptions?profile=", "subscriptions?status="):
        answer = script.get(query)
        assert answer.status_code == 422 and "leave the parameter out" in str(answer.json()["errors"]), query
    assert script.get("subscriptions?q=").status_code == 200
