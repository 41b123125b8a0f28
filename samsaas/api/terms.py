"""What reading, orders and the OpenAPI document agree on: names, limits, and what an order takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django import forms

LIMIT, CURSOR = "limit", "cursor"
DEFAULT_LIMIT, MOST_AT_ONCE = 100, 1000
LARGEST_KEY = 2**63 - 1
HEADER = "Idempotency-Key"
LONGEST_KEY = 200


@dataclass(frozen=True)
class Order:
    """What an order takes and gives. `left_out` are fields of its form that the API has no use for.

    With `partial` no field is needed, because the others stay as they are. With `may_exist` the answer may be what is
    under way already, with 200.
    """

    form: type[forms.BaseForm]
    serializer: Any
    status: HTTPStatus
    left_out: tuple[str, ...] = ()
    partial: bool = False
    may_exist: bool = False
