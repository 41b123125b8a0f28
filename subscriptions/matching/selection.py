"""The selection of the list of subscriptions without user: its rows, and what can be done to them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest

from samsaas import policy
from samsaas.lib.list_export import CSV, XLSX
from samsaas.lib.selection import BarAction, SelectableList
from samsaas.lib.weigh_selection import Words
from subscriptions.matching.filters import UnmatchedFilter
from subscriptions.matching.match_selected import HELD, NO_ADDRESS, NOBODY, SEVERAL
from subscriptions.models import Subscription

WORDS: Words = {
    NO_ADDRESS: ("has no address", "have no address"),
    NOBODY: ("has an address of nobody who is here", "have addresses of nobody who is here"),
    SEVERAL: ("has an address of several people", "have addresses of several people"),
    HELD: ("belongs to somebody with a subscription there", "belong to people with a subscription there"),
}


def visible_seats(request: HttpRequest) -> QuerySet[Subscription]:
    """The current seats without a user that the person may see."""
    rows = Subscription.objects.current().filter(match=None)
    return rows if policy.may(request.user, "unmatched_list") else rows.none()


UNMATCHED = SelectableList(
    key="unmatched",
    url_name="unmatched_list",
    select_url_name="unmatched_select",
    rows=visible_seats,
    filterset=UnmatchedFilter,
)
ACTIONS = (
    BarAction("match", "Match by address", "unmatched_match_selected", icon="link", tone="primary"),
    BarAction("assign", "Assign a user", "unmatched_assign_selected", icon="users"),
    BarAction("xlsx", "Export Excel", "unmatched_list", file=XLSX),
    BarAction("csv", "Export CSV", "unmatched_list", file=CSV),
)


def allowed_actions(request: HttpRequest) -> list[BarAction]:
    """The buttons of whoever may match. Others have no tick boxes: the list exports all of a filter."""
    return list(ACTIONS) if policy.may(request.user, "unmatched_match_selected") else []
