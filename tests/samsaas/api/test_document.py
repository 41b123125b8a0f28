"""The OpenAPI document is valid and complete, and what it says is what is answered."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from samsaas import policy
from samsaas.api.terms import HEADER
from tests import test_permissions
from tests.samsaas.api import generated_client, world
from tests.samsaas.api.generated_client import problems_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
EMPTY = {"This field is required.", "There is no such field."}


def test_the_document_is_open_api_and_open_to_everybody() -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200 and not answer.cookies
    document = answer.json()
    validate_schema(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["components"]["securitySchemes"]) == {"token"}


def test_every_url_and_method_of_the_api_is_an_operation_and_every_operation_is_described() -> None:
    found = generated_client.operations()
    assert len({one.key for one in found}) == len(found) > 60
    served = {
        (name, method)
        for name in test_permissions.named_urls()
        if name.startswith("api:") and name != "api:openapi"
        for method in policy.POLICY[name]
    }
    assert {(f"api:{one.about['x-url-name']}", one.method) for one in found} == served
    for one in found:
        about = one.about
        assert about["summary"] and about["description"] and about["tags"] and about["security"] == [{"token": []}]
        expected = {"400", "401", "403", "405", "422", "429", "500"} | ({"404"} if "{id}" in one.path else set())
        assert expected <= set(about["responses"]), one.key
        assert one.method == "GET" or {"409", "413", "415"} <= set(about["responses"]), one.key
        assert ("Idempotency-Key" in one.parameters) == (one.method == "POST"), one.key


def test_filters_of_the_document_are_those_of_the_pages_with_their_choices() -> None:
    listed = next(one for one in generated_client.operations() if one.key == "subscription_list").parameters
    statuses = ["active", "invited", "suspended", "removed", "unknown"]
    assert listed["status"]["schema"] == {"type": "array", "items": {"type": "string", "enum": statuses}}
    assert listed["model"]["schema"]["oneOf"][1]["enum"] and listed["profile"]["schema"]["type"] == "integer"
    runs = next(one for one in generated_client.operations() if one.key == "run_list").parameters
    assert runs["since"]["schema"] == {"type": "string", "format": "date"}


def test_a_client_made_from_the_document_calls_every_operation(caller: Any) -> None:
    script = caller()
    world.add_rows(script.user)
    world.reconcile(script.user)
    orders, called = world.bodies_for(script), set()
    for one in sorted(generated_client.operations(), key=lambda one: one.method != "GET"):
        if one.key in orders:
            pk, body = orders[one.key]
            assert one.body_problems(body) == [], one.key
            assert one.call(script, pk=pk, body=body).status_code in (200, 201), one.key
        elif "{id}" in one.path:
            pk = script.results(one.path.removesuffix("/{id}"))[0]["id"]
            assert one.call(script, pk=pk).status_code == 200
            assert one.call(script, pk=2**62).status_code == 404
        else:
            assert one.call(script).json()["results"], one.key
        called.add(one.key)
    assert set(orders) <= called and len(called) == len(generated_client.operations())


def test_every_value_that_the_document_lists_for_a_filter_is_taken(caller: Any) -> None:
    script = caller()
    world.add_rows(script.user)
    refused = []
    for one in generated_client.operations():
        for name, parameter in (
            one.parameters.items() if one.path in world.lists().values() and one.method == "GET" else ()
        ):
            for value in parameter["schema"].get("enum", ())[-2:]:
                answer = one.call(script, query=f"{name}={quote(str(value))}")
                if answer.status_code != 200:
                    refused.append((one.key, name, value, answer.content))
    assert refused == []


def test_bodies_that_the_document_forbids_are_refused_by_field(caller: Any) -> None:
    script, wrong = caller(), [1, "x", None, True, [], {}]
    orders = world.bodies_for(script)
    for one in generated_client.operations():
        if not one.has_body:
            continue
        pk, _ = orders[one.key]
        for name, field in one.body_properties().items():
            value = next(value for value in wrong if problems_of(field, value))
            answer = one.call(script, pk=pk, body={name: value})
            assert answer.status_code == 422 and name in answer.json()["errors"], (one.key, name, value)
        assert "frob" in one.call(script, pk=pk, body={"frob": 1}).json()["errors"], one.key


def test_nothing_that_the_document_allows_is_refused_for_being_empty(caller: Any) -> None:
    """Where an empty value is none it is taken, and where it is not, the document says so."""
    script, refused = caller(), []
    orders = world.bodies_for(script)
    for one in generated_client.operations():
        for name, parameter in one.parameters.items() if one.method == "GET" else ():
            allowed = not problems_of(parameter["schema"], "")
            if allowed and one.call(script, query=f"{name}=").status_code != 200:
                refused.append((one.key, name))
        for name, field in one.body_properties().items():
            for value in ("", [], None, False, 0):
                if problems_of(field, value):
                    continue
                answer = one.call(script, pk=orders[one.key][0], body={name: value})
                if EMPTY & set(answer.json().get("errors", {}).get(name, ())):
                    refused.append((one.key, name, value))
    assert refused == []


def test_a_name_of_an_order_is_what_can_stand_in_a_header() -> None:
    schema = next(one for one in generated_client.operations() if one.key == "batch_create").parameters[HEADER][
        "schema"
    ]
    good = [text for text in ("k", "order 1", "!~", " k", "k ", "", "\t", "é") if not problems_of(schema, text)]
    assert good == ["k", "order 1", "!~"]


def test_a_page_shows_the_document_without_a_script_of_its_own(signed_in: Any) -> None:
    page = signed_in("sam_user").get("/api-reference/")
    text = page.content.decode()
    for one in generated_client.operations():
        assert f'id="{one.key}"' in text and one.path in text
    assert "Idempotency-Key" in text and "cdn" not in text.lower()
