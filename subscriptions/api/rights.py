"""Entitlements, allocations and renewals. Entitlements in Build are recorded, changed and published."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from samsaas.api.bodies import as_form_data, check_form
from samsaas.api.orders import fill_form, order
from samsaas.api.problems import Conflict
from samsaas.api.reading import Resource, check_parameters, filter_rows, find_row
from samsaas.api.routes import order_route, read_routes, route
from samsaas.api.rows import AccountName, ApiRow, Money, Number, Text, write_amount
from samsaas.lib import edits
from samsaas.lib.tables import ListFilter
from subscriptions.entitlements import edit
from subscriptions.entitlements.filters import EntitlementFilter
from subscriptions.entitlements.recording.forms import EntitlementForm
from subscriptions.entitlements.states import with_state_on
from subscriptions.models import Allocation, Entitlement
from subscriptions.renewals import recommend, rows
from subscriptions.renewals.filters import RenewalFilter

CHANGED_MEANWHILE = "Somebody else saved this entitlement meanwhile. Read it again."
PUBLISHED = "It is published. Correct it on its page, where a reason is asked for."


class EntitlementRow(ApiRow):
    number = Text()
    shown_state = Text(help_text="Its state of today: build, pending, in_use, superseded, expired …")
    unit_cost = Money("unit_cost")
    total_cost = Money("total_cost")
    owner = AccountName()

    class Meta:
        model = Entitlement
        fields = (
            *("id", "number", "software_model", "publisher_part_number", "agreement_type", "license_type", "metric"),
            *("state", "shown_state", "published_at", "retired_on", "purchased_rights", "unlimited", "period", "start"),
            *("end", "unit_cost", "total_cost", "renews", "auto_renew", "notice_days", "minimum_rights"),
            *("reduction_asked_on", "reduction_asked_to", "profile", "vendor_name", "contract", "invoice"),
            *("purchase_order", "cost_center", "department", "owner", "notes", "version", "created_at", "updated_at"),
        )


class AllocationRow(ApiRow):
    class Meta:
        model = Allocation
        fields = ("id", "entitlement", "person", "quantity", "assigned_on", "released_on", "source")


class Change(Money):
    """What a recommended change costs or saves a year."""

    def __init__(self) -> None:
        super().__init__("yearly_change")

    def to_representation(self, row: rows.RenewalRow) -> dict[str, str] | None:
        return write_amount(row.renewal.yearly_change, row.entitlement.currency)


class RenewalAdvice(serializers.Serializer):
    """One renewal with its advice; null where there is none."""

    entitlement = Number("entitlement.pk")
    number = Text("entitlement.number")
    software_model = Number("entitlement.software_model_id")
    purchased_rights = Number("entitlement.purchased_rights")
    renewal = serializers.DateField(source="renewal.renewal", read_only=True)
    reduce_by = serializers.DateField(read_only=True)
    days_left = Number("renewal.days_left")
    urgency = serializers.ChoiceField(choices=rows.Urgency.choices, read_only=True)
    used = Number("renewal.need.used")
    open_candidates = Number("renewal.need.open_candidates")
    target = Number("renewal.target")
    recommended = Number("renewal.recommended", allow_null=True)
    change = Number("renewal.change", allow_null=True)
    yearly_change = Change()


class AllocationListFilter(ListFilter):
    """The allocations of an entitlement or of a person. Without a choice also those that were released."""

    entitlement = django_filters.ModelChoiceFilter(label="Entitlement", queryset=Entitlement.objects.all())
    open = django_filters.BooleanFilter(label="Not released", field_name="released_on", lookup_expr="isnull")

    class Meta:
        model = Allocation
        fields = ("entitlement", "open")


class Entitlements(Resource):
    """Entitlements: the rights that were bought."""

    model, serializer_class, filterset = Entitlement, EntitlementRow, EntitlementFilter
    related = ("owner",)

    def rows(self) -> QuerySet[Any]:
        return with_state_on(Entitlement.objects.all(), timezone.localdate())

    @order(form=EntitlementForm, answer=EntitlementRow, status=HTTPStatus.CREATED)
    def create(self, request: Request, body: dict[str, Any]) -> Any:
        """Record an entitlement in Build. It counts when it is published."""
        form = fill_form(EntitlementForm, body, instance=Entitlement())
        return save_draft(self, form, request)

    @order(form=EntitlementForm, answer=EntitlementRow, partial=True, left_out=("publisher", "product", "edition"))
    def change(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Change an entitlement in Build. Fields that are not named stay as they are."""
        one = find_row(self, pk)
        if not one.is_draft:
            raise Conflict(PUBLISHED)
        form = EntitlementForm(_fill_up(EntitlementForm(None, instance=one), body), instance=one)
        check_form(form)
        return save_draft(self, form, request)

    @order(form=forms.Form, answer=EntitlementRow)
    def publish(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Let an entitlement in Build count from its start date on."""
        fill_form(forms.Form, body)
        one = find_row(self, pk)
        if not one.is_draft:
            raise Conflict("It is published already.")
        edit.publish(one, by=request.user, now=timezone.now())
        return find_row(self, pk)


def _fill_up(stored: EntitlementForm, body: dict[str, Any]) -> MultiValueDict[str, Any]:
    """What is stored, with the fields of the body in its place."""
    given = as_form_data(body, stored.fields)
    kept = {name: stored[name].value() for name in stored.fields if name not in body}
    data = MultiValueDict({name: [value] for name, value in kept.items() if value is not None})
    data.update(given)
    return data


def save_draft(view: Resource, form: EntitlementForm, request: Request) -> Entitlement:
    """Store the draft of a valid form. Raises `ValidationError` and `Conflict`."""
    version, now = form.cleaned_data.get("version"), timezone.now()
    try:
        saved = edit.save_draft(form.instance, by=request.user, now=now, version=version, named=form.named)
    except edits.EditConflict as stale:
        raise Conflict(CHANGED_MEANWHILE) from stale
    found: Entitlement = find_row(view, saved.pk)
    return found


class Allocations(Resource):
    """Allocations: rights that are reserved for a person."""

    model, serializer_class, filterset = Allocation, AllocationRow, AllocationListFilter


class Renewals(Resource):
    """Renewals: what ends, by when the vendor has to know, and how many rights it should be. All of them at once."""

    model, serializer_class, filterset = Entitlement, RenewalAdvice, RenewalFilter
    is_paged = False

    def list(self, request: Request) -> Response:
        check_parameters(request, RenewalFilter.base_filters)
        kept = set(filter_rows(RenewalFilter, Entitlement.objects.published(), request).values_list("pk", flat=True))
        chosen, today = RenewalFilter(request.query_params, request=request), timezone.localdate()
        found = recommend.list_renewals(today, horizon=chosen.days, headroom=chosen.spare)
        shown = [row for row in rows.make_rows(found, today) if row.entitlement.pk in kept]
        wanted = [row for row in shown if chosen.urgency_chosen in ("", row.urgency)]
        return Response({"results": RenewalAdvice(wanted, many=True).data, "next": None})


patterns = [
    *read_routes("entitlements", "entitlement", Entitlements, post="create", patch="change"),
    order_route("entitlements", "entitlement", Entitlements, "publish"),
    *read_routes("allocations", "allocation", Allocations),
    route("renewals", "renewal_list", Renewals, {"get": "list"}),
]
