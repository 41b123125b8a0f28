"""Random calls of every operation, made by schemathesis from the OpenAPI document and checked against it."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from samsaas.api.terms import LARGEST_KEY
from tests.samsaas.api import generated_client, world

KINDS = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
SAME = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
UNCHECKED = [positive_data_acceptance]  # much fits the document and not what is stored: a person of another seat


def call_all(caller: world.Caller, examples: int) -> RandomCalls:
    """In a world with rows of every kind."""
    world.add_rows(caller.user)
    world.reconcile(caller.user)
    keys = {name: key for name, (key, _) in world.bodies_for(caller).items()}
    for one in generated_client.operations():
        if "{id}" in one.path and one.key not in keys:
            keys[one.key] = caller.results(one.path.removesuffix("/{id}"))[0]["id"]
    calls = RandomCalls(caller, keys)
    calls.call_all(examples)
    return calls


class RandomCalls:
    """Calls that fit the document and calls that do not, the same ones in every run with as many of an operation."""

    def __init__(self, caller: world.Caller, keys: dict[str, int]) -> None:
        """`keys` are numbers of rows that there are, by operation: half of the calls are about them."""
        self.headers = {"Authorization": f"Bearer {caller.text}"}
        self.keys, self.called, self.findings = keys, Counter[str](), dict[str, str]()
        self.document = schemathesis.openapi.from_dict(world.document())
        self.document.app = WSGIHandler()

    def call_all(self, examples: int) -> None:
        """Call every operation with at most so many examples of each kind, and note what is wrong with the answers."""
        ends = (request_started, request_finished)
        for signal in ends:  # the transaction of the test goes on behind a call, as with Django's own client
            signal.disconnect(close_old_connections)
        try:
            for operation, kind in product(self.document.get_all_operations(), KINDS):
                self.call_many(operation.ok(), kind, examples)
        finally:
            for signal in ends:
                signal.connect(close_old_connections)

    def call_many(self, operation: Any, kind: GenerationMode, examples: int) -> None:
        name = operation.definition.raw["operationId"]
        calls = given(operation.as_strategy(generation_mode=kind))(lambda case: self.call(name, case))
        try:
            settings(SAME, max_examples=examples)(calls)()
        except FailureGroup as found:
            self.findings[f"{name}, {kind.value}"] = "\n".join(map(str, found.exceptions))

    def call(self, name: str, case: Any) -> None:
        number = case.path_parameters.get("id")
        is_allowed = isinstance(number, int) and 1 <= number <= LARGEST_KEY  # one that is not has to be refused
        if name in self.keys and is_allowed and number % 2:
            case.path_parameters["id"] = self.keys[name]
        self.called[name] += 1
        case.call_and_validate(headers=self.headers, excluded_checks=UNCHECKED)
