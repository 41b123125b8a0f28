"""What the one search for everything finds here: seats, people, models, entitlements, and what can be begun."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from samsaas.lib import search
from samsaas.lib.finders import Finder, PageAction, join_notes, order_exact_first
from subscriptions.entitlements.filters import SEARCHED
from subscriptions.models import Entitlement, Person, SoftwareModel, Subscription
from subscriptions.models.person import PersonQuerySet
from subscriptions.models.subscription import SubscriptionQuerySet


def find_seats(rows: SubscriptionQuerySet, text: str) -> QuerySet[Subscription]:
    return rows.search(text).order_by("display_name", "pk")


def find_people(rows: PersonQuerySet, text: str) -> QuerySet[Person]:
    return rows.search(text).order_by("name", "pk")


def find_models(rows: QuerySet[SoftwareModel], text: str) -> QuerySet[SoftwareModel]:
    found = search.find(rows, text, "publisher", "product", "edition")
    return found.order_by("publisher", "product", "edition", "pk")


def find_entitlements(rows: QuerySet[Entitlement], text: str) -> QuerySet[Entitlement]:
    number = search.numbered(text, "ENT")
    return order_exact_first(search.find(rows, text, *SEARCHED, or_else=number), number, "-pk")


def _describe_seat(seat: Any) -> str:
    state = "ended" if seat.ended_at else "excluded" if seat.excluded else ""
    return join_notes(seat.email if seat.title != seat.email else "", seat.profile, state)


def _describe_person(person: Any) -> str:
    return join_notes(person.key, person.department, "left" if person.has_left else "")


FINDERS = (
    Finder(
        key="subscription",
        label="Subscriptions",
        icon="users",
        url_name="subscription_detail",
        list_name="subscription_list",
        rows=lambda: Subscription.objects.select_related("profile"),
        find=find_seats,
        note=_describe_seat,
        name=lambda seat: str(seat.title),
    ),
    Finder(
        key="person",
        label="People",
        icon="user-circle",
        url_name="person_detail",
        list_name="person_list",
        rows=Person.objects.all,
        find=find_people,
        note=_describe_person,
    ),
    Finder(
        key="model",
        label="Software models",
        icon="apps",
        url_name="software_model_detail",
        list_name="software_model_list",
        rows=SoftwareModel.objects.all,
        find=find_models,
        note=lambda one: "" if one.under_management else "not under management",
    ),
    Finder(
        key="entitlement",
        label="Entitlements",
        icon="clipboard-list",
        url_name="entitlement_detail",
        list_name="entitlement_list",
        rows=lambda: Entitlement.objects.select_related("software_model"),
        find=find_entitlements,
        note=lambda one: join_notes(one.software_model, one.contract, one.get_state_display().lower()),
    ),
)
ACTIONS = (
    PageAction(label="Import people", url_name="person_import_new", words="upload HR file employees spreadsheet"),
    PageAction(
        label="People with more than one subscription of a product",
        url_name="several_subscriptions",
        words="duplicates double twice savings",
    ),
    PageAction(label="New person", url_name="person_create", words="add employee"),
    PageAction(label="New entitlement", url_name="entitlement_new", words="add record license purchase contract"),
    PageAction(
        label="Import entitlements", url_name="entitlement_import_new", words="upload file licenses spreadsheet"
    ),
    PageAction(label="Run reconciliation", url_name="reconciliation_new", words="count compute license position"),
    PageAction(label="New exclusion rule of users", url_name="user_exclusion_new", words="exclude leave out"),
    PageAction(
        label="New exclusion rule of identifiers", url_name="identifier_exclusion_new", words="exclude leave out"
    ),
    PageAction(label="New user resolution rule", url_name="resolution_rule_create", words="match person"),
)
