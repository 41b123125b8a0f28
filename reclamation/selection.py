"""The selection of the candidate list: how an action reads which candidates were selected.

    token = request.GET.get("selection") or request.POST.get("selection", "")
    try:
        candidates = selection.read(request, token)
    except selection.SelectionGone as gone:
        messages.error(request, str(gone))
        return redirect("candidate_list")

The rows are those of this moment. An action that a person confirms compares them with what they saw
(`samsaas.lib.weigh_selection`), or keeps the keys that it showed.
"""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest

from reclamation.filters import CandidateFilter
from reclamation.models import RemovalCandidate
from samsaas import policy
from samsaas.lib import selection
from samsaas.lib.list_export import XLSX
from samsaas.lib.selection import BarAction, SelectableList, SelectionGone as SelectionGone
from samsaas.lib.sight import limit_rows


def visible_candidates(request: HttpRequest) -> QuerySet[RemovalCandidate]:
    """The candidates that the person may see: every role that opens the list sees those of the person's profiles."""
    is_reader = policy.may(request.user, CANDIDATES.url_name)
    return limit_rows(request, RemovalCandidate.objects.all()) if is_reader else RemovalCandidate.objects.none()


CANDIDATES = SelectableList(
    key="candidates",
    url_name="candidate_list",
    select_url_name="candidate_select",
    rows=visible_candidates,
    filterset=CandidateFilter,
)
ACTIONS = (
    BarAction("reclaim", "Reclaim", "batch_confirm", icon="circle-minus", tone="primary", keeps_post=True),
    BarAction("assign", "Assign", "candidate_assign"),
    BarAction("close", "Close Skipped", "candidate_close"),
    BarAction("note", "Add a note", "candidate_note"),
    BarAction("xlsx", "Export Excel", "candidate_list", file=XLSX),
    BarAction("export", "Export CSV", "candidate_export"),
)


def allowed_actions(request: HttpRequest) -> list[BarAction]:
    """The buttons that this account may press. Those of a page that is not served are left out."""
    return [one for one in ACTIONS if any(policy.may(request.user, one.url_name, method) for method in ("POST", "GET"))]


def forget(request: HttpRequest, token: str) -> None:
    """Drop a selection whose candidates were dealt with."""
    selection.forget(request, token)


def read(request: HttpRequest, token: str) -> QuerySet[RemovalCandidate]:
    """The selected candidates as they are now. Raises `SelectionGone`, whose text says so to the person."""
    return selection.read(request, token, CANDIDATES)
