"""The selection of the list of entitlements: its rows, and what can be done to them."""

from __future__ import annotations

from django.db.models import Case, CharField, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone

from samsaas import policy
from samsaas.lib.list_export import XLSX
from samsaas.lib.selection import BarAction, SelectableList
from samsaas.lib.weigh_selection import Words
from subscriptions.entitlements.filters import EntitlementFilter
from subscriptions.entitlements.states import with_state_on
from subscriptions.models import Entitlement

PUBLISHED = "published"
WORDS: Words = {PUBLISHED: ("is published already", "are published already")}


def visible_entitlements(request: HttpRequest) -> QuerySet[Entitlement]:
    """The entitlements that the person may see, with their state of today."""
    rows = Entitlement.objects.all() if policy.may(request.user, "entitlement_list") else Entitlement.objects.none()
    return with_state_on(rows, timezone.localdate())


def obstacle_to_publishing() -> Case:
    """The code of what stands in the way of publishing an entitlement; empty for a draft."""
    is_draft = When(state=Entitlement.State.BUILD, then=Value(""))
    return Case(is_draft, default=Value(PUBLISHED), output_field=CharField())


ENTITLEMENTS = SelectableList(
    key="entitlements",
    url_name="entitlement_list",
    select_url_name="entitlement_select",
    rows=visible_entitlements,
    filterset=EntitlementFilter,
)
ACTIONS = (
    BarAction("publish", "Publish", "entitlement_publish_selected", icon="circle-check", tone="primary"),
    BarAction("xlsx", "Export Excel", "entitlement_list", file=XLSX),
    BarAction("export", "Export CSV", "entitlement_export"),
)


def allowed_actions(request: HttpRequest) -> list[BarAction]:
    """The buttons that this account may press."""
    return [one for one in ACTIONS if policy.may(request.user, one.url_name)]
