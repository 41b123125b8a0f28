"""The workspace's navigation: the pages in their groups, and which of them an account may open."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from samsaas import policy


@dataclass(frozen=True, kw_only=True)
class Item:
    """One link. It is the current one if the page's URL name begins with one of `prefixes`."""

    label: str
    url_name: str
    icon: str
    prefixes: tuple[str, ...] = ()
    url: str = ""
    current: bool = False

    def is_above(self, view_name: str) -> bool:
        """Whether the page with this URL name belongs to the item."""
        return view_name.startswith(self.prefixes)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Items under a heading. `parent` is the heading above that one, as in ServiceNow's navigator."""

    label: str = ""
    parent: str = ""
    items: tuple[Item, ...]


WORKSPACE = (
    Group(
        items=(
            Item(label="Home", url_name="home", icon="home", prefixes=("home",)),
            Item(label="Notifications", url_name="notification_list", icon="mail", prefixes=("notification_",)),
        )
    ),
    Group(
        parent="License operations",
        label="User Subscriptions",
        items=(
            Item(
                label="Direct integration profiles",
                url_name="profile_list",
                icon="plug-connected",
                prefixes=("profile_", "authorization_", "scheduled_job_"),
            ),
            Item(
                label="Software subscriptions",
                url_name="subscription_list",
                icon="users",
                prefixes=("subscription_",),
            ),
            Item(
                label="Subscriptions without user",
                url_name="unmatched_list",
                icon="user-off",
                prefixes=("unmatched_",),
            ),
            Item(
                label="People",
                url_name="person_list",
                icon="user-circle",
                prefixes=(
                    "person_",
                    "several_",
                ),
            ),
            Item(label="Software models", url_name="software_model_list", icon="apps", prefixes=("software_model_",)),
            Item(
                label="Subscription identifiers",
                url_name="identifier_list",
                icon="link",
                prefixes=("identifier_list", "identifier_detail", "identifier_map", "identifier_unmap"),
            ),
            Item(
                label="Exclusion rules",
                url_name="identifier_exclusion_list",
                icon="filter",
                prefixes=("identifier_exclusion_", "user_exclusion_"),
            ),
        ),
    ),
    Group(
        label="License usage",
        items=(
            Item(
                label="License position",
                url_name="license-usage",
                icon="clipboard-list",
                prefixes=(
                    *("license-usage", "publisher_result", "product_result", "model_result", "metric_result"),
                    *("seat_result", "group_result", "held_right", "remedy_", "model_position"),
                ),
            ),
            Item(label="Reconciliation", url_name="reconciliations", icon="history", prefixes=("reconciliation",)),
            Item(
                label="Entitlements",
                url_name="entitlement_list",
                icon="clipboard-list",
                prefixes=("entitlement_", "allocation_"),
            ),
            Item(label="Renewals", url_name="renewals", icon="refresh", prefixes=("renewal",)),
            Item(label="Removal candidates", url_name="candidate_list", icon="circle-minus", prefixes=("candidate_",)),
            Item(label="Reclamation rules", url_name="rule_list", icon="clock", prefixes=("rule_", "backtest_")),
            Item(
                label="Removals",
                url_name="attempt_list",
                icon="history",
                prefixes=("attempt_", "batch_", "removal_switch"),
            ),
            Item(label="Savings", url_name="savings_list", icon="clipboard-list", prefixes=("savings_",)),
            Item(label="Vendor drift", url_name="vendor-drift", icon="alert-circle", prefixes=("vendor-drift",)),
            Item(label="Why and why not", url_name="reason_list", icon="help-circle", prefixes=("reason_",)),
            Item(label="Exemptions", url_name="exemption_list", icon="shield-check", prefixes=("exemption_",)),
            Item(label="Approvals", url_name="approval_list", icon="shield-check", prefixes=("approval_",)),
            Item(label="Outbox", url_name="notice_list", icon="mail", prefixes=("notice_",)),
        ),
    ),
    Group(
        label="Administration",
        items=(
            Item(
                label="Accounts",
                url_name="account_list",
                icon="lock",
                prefixes=("account_", "invitation_", "sight_"),
            ),
            Item(
                label="Connection & credential aliases",
                url_name="alias_list",
                icon="key",
                prefixes=("alias_",),
            ),
            Item(
                label="User resolution rules",
                url_name="resolution_rule_list",
                icon="link",
                prefixes=("resolution_rule_",),
            ),
            Item(label="Webhooks", url_name="webhook_list", icon="link", prefixes=("webhook_",)),
            Item(label="Job results", url_name="run_list", icon="clipboard-list", prefixes=("run_",)),
            Item(label="Audit trail", url_name="audit_list", icon="history", prefixes=("audit_",)),
            Item(label="Reports", url_name="report_list", icon="mail", prefixes=("report_",)),
            Item(label="Retention", url_name="retention", icon="clock", prefixes=("retention",)),
            Item(label="API tokens", url_name="token_list", icon="key", prefixes=("token_", "api_reference")),
            Item(label="Core UI", url_name="admin:index", icon="settings", prefixes=("admin:",)),
        ),
    ),
)


def current_place(request: HttpRequest) -> tuple[Group, Item] | None:
    """The group and the item of the current page, for its breadcrumbs. None outside the navigation."""
    view_name = _view_name(request)
    current = ((group, item) for group in WORKSPACE for item in group.items if item.is_above(view_name))
    return next(((group, found) for group, item in current if (found := _open_to(request, item, view_name))), None)


def for_request(request: HttpRequest) -> list[Group]:
    """The groups and items this account may open. Empty groups are left out."""
    view_name = _view_name(request)
    groups = []
    for group in WORKSPACE:
        if items := tuple(found for item in group.items if (found := _open_to(request, item, view_name))):
            groups.append(replace(group, items=items))
    return groups


def _view_name(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _open_to(request: HttpRequest, item: Item, view_name: str) -> Item | None:
    """The item with its address, or None if this account may not open it or this installation does not serve it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not policy.may(user, item.url_name):
        return None
    try:
        url = reverse(item.url_name)
    except NoReverseMatch:
        return None
    return replace(item, url=url, current=item.is_above(view_name))
