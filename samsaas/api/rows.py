"""How rows are written: only the fields that are named, times in UTC, money as an amount and its currency in texts."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from samsaas.lib import money

MONEY = {
    "type": "object",
    "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
    "required": ["amount", "currency"],
}


class Moment(serializers.DateTimeField):
    """A time as ISO 8601 in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"default_timezone": UTC, **kwargs})


class OptionalChoice(serializers.ChoiceField):
    """One of several values, or empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "allow_blank": True})


class ApiRow(serializers.ModelSerializer):
    """The base of all rows. They are written and never read: bodies go through the forms of the pages."""

    serializer_field_mapping = {**serializers.ModelSerializer.serializer_field_mapping, models.DateTimeField: Moment}

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[Any, dict[str, Any]]:
        kind, options = super().build_standard_field(field_name, model_field)
        is_optional = kind is serializers.ChoiceField and model_field.blank
        return (OptionalChoice if is_optional else kind), options

    def get_extra_kwargs(self) -> dict[str, Any]:
        return {name: {"read_only": True} for name in self.Meta.fields}


def write_amount(amount: Decimal | str | None, currency: str) -> dict[str, str] | None:
    """An amount with its currency; None where it is not known."""
    return None if amount is None else {"amount": str(money.trim(Decimal(amount))), "currency": currency}


@extend_schema_field({"oneOf": [MONEY, {"type": "null"}]})
class Money(serializers.Field):
    """A column with an amount, and the one with its currency."""

    def __init__(self, amount: str, currency: str = "currency") -> None:
        super().__init__(read_only=True, source="*")
        self.amount, self.currency = amount, currency

    def to_representation(self, row: Any) -> dict[str, str] | None:
        return write_amount(getattr(row, self.amount), getattr(row, self.currency))


@extend_schema_field({"type": "array", "items": MONEY})
class AmountsByCurrency(serializers.Field):
    """A column with amounts by currency. They are never added."""

    def __init__(self) -> None:
        super().__init__(read_only=True)

    def to_representation(self, value: dict[str, str]) -> list[dict[str, str] | None]:
        return [write_amount(amount, currency) for currency, amount in sorted(value.items())]


@extend_schema_field({"type": ["string", "null"]})
class AccountName(serializers.Field):
    """An account by its name. List the relation in the `related` of the resource."""

    def __init__(self) -> None:
        super().__init__(read_only=True)

    def to_representation(self, value: Any) -> str:
        return str(value.get_username())


class Text(serializers.CharField):
    """A text that is computed, or that belongs to a related row (`source`)."""

    def __init__(self, source: str | None = None, **kwargs: Any) -> None:
        super().__init__(source=source, read_only=True, **kwargs)


class Number(serializers.IntegerField):
    """A number that is computed, or that belongs to a related row (`source`)."""

    def __init__(self, source: str | None = None, **kwargs: Any) -> None:
        super().__init__(source=source, read_only=True, **kwargs)
