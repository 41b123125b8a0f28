"""The selection of the list of exemptions: its rows, and what can be done to them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Case, CharField, QuerySet, Value, When
from django.http import HttpRequest

from reclamation.models import Exemption
from reclamation.rules import exempt
from reclamation.rules.filters import ExemptionFilter
from samsaas import policy
from samsaas.lib.act_on_rows import RowAction
from samsaas.lib.list_export import CSV, XLSX
from samsaas.lib.selection import BarAction, SelectableList

ENDED = "ended"
RELATED = ("person", "subscription__profile", "by")


def visible_exemptions(request: HttpRequest) -> QuerySet[Exemption]:
    """The exemptions that the person may see."""
    rows = Exemption.objects.select_related(*RELATED)
    return rows if policy.may(request.user, "exemption_list") else rows.none()


def end_one(exemption: Exemption, by: User, now: datetime) -> str:
    """End an exemption. Returns why it stays, if it does."""
    return "" if exempt.end(exemption, by=by, now=now) else "It had ended meanwhile."


EXEMPTIONS = SelectableList(
    key="exemptions",
    url_name="exemption_list",
    select_url_name="exemption_select",
    rows=visible_exemptions,
    filterset=ExemptionFilter,
)
END = RowAction(
    selectable=EXEMPTIONS,
    one="exemption",
    several="exemptions",
    button="End",
    done="ended",
    act=end_one,
    obstacle=Case(When(ended_at=None, then=Value("")), default=Value(ENDED), output_field=CharField()),
    words={ENDED: ("has ended already", "have ended already")},
    consequence="From the next find on, rules judge these subscriptions, or those of these people, like any other.",
)
ACTIONS = (
    BarAction("end", "End", "exemption_end_selected", tone="primary"),
    BarAction("xlsx", "Export Excel", "exemption_list", file=XLSX),
    BarAction("csv", "Export CSV", "exemption_list", file=CSV),
)


def allowed_actions(request: HttpRequest) -> list[BarAction]:
    """The buttons of whoever may end exemptions. Others have no tick boxes: the list exports all of a filter."""
    return list(ACTIONS) if policy.may(request.user, "exemption_end_selected") else []
