"""The selection of the list of subscriptions: its rows, and what can be done to them.

Reclamation proposes selected subscriptions. Its page is named here, as the page of one subscription links to it, and
stands in the policy table; nothing of it is imported.
"""

from __future__ import annotations

from django.http import HttpRequest

from samsaas import policy
from samsaas.lib.list_export import CSV, XLSX
from samsaas.lib.selection import BarAction, SelectableList
from subscriptions.filters import SubscriptionFilter
from subscriptions.models import Subscription
from subscriptions.models.subscription import SubscriptionQuerySet


def visible_subscriptions(request: HttpRequest) -> SubscriptionQuerySet:
    """The seats that the person may see: every role that opens the list sees all of them."""
    rows = Subscription.objects.all()
    return rows if policy.may(request.user, SUBSCRIPTIONS.url_name) else rows.none()


SUBSCRIPTIONS = SelectableList(
    key="subscriptions",
    url_name="subscription_list",
    select_url_name="subscription_select",
    rows=visible_subscriptions,
    filterset=SubscriptionFilter,
)
ACTIONS = (
    BarAction("propose", "Propose for removal", "candidate_propose_selected", icon="circle-minus", tone="primary"),
    BarAction("exclude", "Exclude", "user_exclusion_selected", icon="filter"),
    BarAction("xlsx", "Export Excel", "subscription_list", file=XLSX),
    BarAction("csv", "Export CSV", "subscription_list", file=CSV),
)


def allowed_actions(request: HttpRequest) -> list[BarAction]:
    """The buttons that this account may press."""
    return [one for one in ACTIONS if policy.may(request.user, one.url_name)]
