"""The tabs above the pages of license usage."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import NoReverseMatch, reverse

from samsaas import policy

register = template.Library()
TABS = (
    ("Publishers", "license-usage"),
    ("Reconciliation", "reconciliations"),
    ("Removal candidates", "candidate_list"),
    ("Renewals", "renewals"),
    ("Savings", "savings_list"),
    ("Vendor drift", "vendor-drift"),
)


@register.inclusion_tag("subscriptions/usage/tabs.html", takes_context=True)
def usage_tabs(context: RequestContext) -> dict[str, Any]:
    """The pages of license usage that this account may open; the current one is marked."""
    request = context["request"]
    tabs = []
    for label, name in TABS:
        try:
            url = reverse(name)
        except NoReverseMatch:  # this installation does not serve it
            continue
        if policy.may(request.user, name):
            tabs.append({"label": label, "url": url, "is_current": request.path == url})
    return {"tabs": tabs}
