"""The directory of people, and the rules that find them."""

from __future__ import annotations

from rest_framework import serializers

from samsaas.api.reading import Resource
from samsaas.api.routes import read_routes
from samsaas.api.rows import ApiRow
from subscriptions.models import Person, ResolutionRule
from subscriptions.people.filters import PersonFilter


class PersonRow(ApiRow):
    addresses = serializers.SlugRelatedField(slug_field="address", many=True, read_only=True)

    class Meta:
        model = Person
        fields = (
            *("id", "key", "name", "department", "manager", "cost_center", "country", "left_on", "addresses"),
            "updated_at",
        )


class ResolutionRuleRow(ApiRow):
    class Meta:
        model = ResolutionRule
        fields = ("id", "name", "order", "active", "source", "lookup", "transform", "new_domain", "profiles", "scoped")


class People(Resource):
    """People: the employees behind subscriptions, and not accounts of samsaas."""

    model, serializer_class, filterset, fetched = Person, PersonRow, PersonFilter, ("addresses",)


class ResolutionRules(Resource):
    """User resolution rules, which find the user of a subscription."""

    model, serializer_class, fetched = ResolutionRule, ResolutionRuleRow, ("profiles",)


patterns = [
    *read_routes("people", "person", People),
    *read_routes("resolution-rules", "resolution_rule", ResolutionRules),
]
