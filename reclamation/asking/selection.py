"""The selection of the outbox: its mails, and what can be done to them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Case, CharField, QuerySet, Value, When
from django.http import HttpRequest

from reclamation.asking import resend
from reclamation.asking.filters import NoticeFilter
from samsaas import policy
from samsaas.lib.act_on_rows import RowAction
from samsaas.lib.list_export import CSV, XLSX
from samsaas.lib.selection import BarAction, SelectableList
from samsaas.models import Mail

NOT_FAILED = "not_failed"


def visible_mails(request: HttpRequest) -> QuerySet[Mail]:
    """The mails that the person may see, without their links."""
    rows = Mail.objects.defer("secret", "body", "attachment")
    return rows if policy.may(request.user, "notice_list") else rows.none()


def resend_one(mail: Mail, by: User, now: datetime) -> str:
    """Send a failed mail again. Returns why it is not sent, if it is not."""
    try:
        resend.run(mail, by, now)
    except resend.NotResent as refusal:
        return str(refusal)
    return ""


OUTBOX = SelectableList(
    key="outbox",
    url_name="notice_list",
    select_url_name="notice_select",
    rows=visible_mails,
    filterset=NoticeFilter,
)
RESEND = RowAction(
    selectable=OUTBOX,
    one="mail",
    several="mails",
    button="Send again",
    done="sent again",
    act=resend_one,
    obstacle=Case(When(state=Mail.State.FAILED, then=Value("")), default=Value(NOT_FAILED), output_field=CharField()),
    words={NOT_FAILED: ("has not failed", "have not failed")},
    consequence="A question whose candidate needs attention is asked anew, with a new link. What is over stays.",
)
ACTIONS = (
    BarAction("resend", "Send again", "notice_resend_selected", icon="mail", tone="primary"),
    BarAction("xlsx", "Export Excel", "notice_list", file=XLSX),
    BarAction("csv", "Export CSV", "notice_list", file=CSV),
)


def allowed_actions(request: HttpRequest) -> list[BarAction]:
    """The buttons of whoever may send mails again."""
    return list(ACTIONS) if policy.may(request.user, "notice_resend_selected") else []
