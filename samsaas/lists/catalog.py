"""The lists that can have saved views: every list with a filter and an address of its own."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from profiles.filters import ProfileFilter
from profiles.jobs.filters import RunFilter
from profiles.jobs.tables import RunTable
from profiles.tables import ProfileTable
from reclamation.asking.filters import ApprovalFilter, NoticeFilter
from reclamation.asking.tables import ApprovalTable, NoticeTable
from reclamation.filters import CandidateFilter
from reclamation.removal.filters import AttemptFilter, BatchFilter
from reclamation.removal.tables import AttemptTable, BatchTable
from reclamation.rules.filters import ExemptionFilter, RuleFilter
from reclamation.rules.tables import ExemptionTable, RuleTable
from reclamation.savings.filters import SavingsFilter
from reclamation.savings.tables import SavingsTable
from reclamation.tables import CandidateTable
from samsaas.lib.list_choices import NO_VIEW, SAVED, list_key, write_state
from samsaas.lib.tables import ListFilter, Table
from samsaas.models import SavedView
from subscriptions.entitlements.filters import EntitlementFilter
from subscriptions.entitlements.tables import EntitlementTable
from subscriptions.exclusions.filters import IdentifierExclusionFilter, UserExclusionFilter
from subscriptions.exclusions.tables import IdentifierExclusionTable, UserExclusionTable
from subscriptions.filters import SubscriptionFilter
from subscriptions.matching.filters import UnmatchedFilter
from subscriptions.matching.tables import UnmatchedTable
from subscriptions.people.filters import PersonFilter
from subscriptions.people.tables import PersonTable
from subscriptions.reconciliation.filters import ReconciliationFilter
from subscriptions.reconciliation.tables import ReconciliationTable
from subscriptions.software.filters import IdentifierFilter, SoftwareModelFilter
from subscriptions.software.tables import IdentifierTable, SoftwareModelTable
from subscriptions.tables import SubscriptionTable


@dataclass(frozen=True)
class ListPage:
    """A list: the URL name of its page, its table and its filter."""

    url_name: str
    table: type[Table]
    filterset: type[ListFilter]

    @property
    def key(self) -> str:
        return list_key(self.table)

    @property
    def title(self) -> str:
        return self.table.caption

    @property
    def url(self) -> str:
        return reverse(self.url_name)

    @property
    def whole_url(self) -> str:
        """The address of all of the list, also for who opens it with a view."""
        return f"{self.url}?{SAVED}={NO_VIEW}"

    def view_url(self, view: SavedView) -> str:
        """The address of the list as a view shows it."""
        query = QueryDict(view.query, mutable=True)
        query[SAVED] = str(view.pk)
        return f"{self.url}?{query.urlencode()}"

    def read_state(self, query: QueryDict) -> str:
        """What of a query string a view keeps: the list's own filters, and an order by one of its columns."""
        kept = query.copy()
        if query.get("sort", "").lstrip("-") not in self.table.base_columns:
            kept.pop("sort", None)
        return write_state(kept, [*self.filterset.base_filters, "sort"])

    def find_problems(self, request: HttpRequest, state: str) -> list[str]:
        """What the list's filter cannot use of a view: choices that have vanished, values that it never took."""
        return self.filterset(
            QueryDict(state), queryset=self.table._meta.model._default_manager.none(), request=request
        ).problems()


# The audit trail's page stands beside this package, so it has density and columns, and no saved views.
PAGES = (
    ListPage("profile_list", ProfileTable, ProfileFilter),
    ListPage("subscription_list", SubscriptionTable, SubscriptionFilter),
    ListPage("unmatched_list", UnmatchedTable, UnmatchedFilter),
    ListPage("person_list", PersonTable, PersonFilter),
    ListPage("software_model_list", SoftwareModelTable, SoftwareModelFilter),
    ListPage("identifier_list", IdentifierTable, IdentifierFilter),
    ListPage("identifier_exclusion_list", IdentifierExclusionTable, IdentifierExclusionFilter),
    ListPage("user_exclusion_list", UserExclusionTable, UserExclusionFilter),
    ListPage("reconciliations", ReconciliationTable, ReconciliationFilter),
    ListPage("entitlement_list", EntitlementTable, EntitlementFilter),
    ListPage("candidate_list", CandidateTable, CandidateFilter),
    ListPage("rule_list", RuleTable, RuleFilter),
    ListPage("attempt_list", AttemptTable, AttemptFilter),
    ListPage("batch_list", BatchTable, BatchFilter),
    ListPage("savings_entries", SavingsTable, SavingsFilter),
    ListPage("exemption_list", ExemptionTable, ExemptionFilter),
    ListPage("approval_list", ApprovalTable, ApprovalFilter),
    ListPage("notice_list", NoticeTable, NoticeFilter),
    ListPage("run_list", RunTable, RunFilter),
)
LISTS = {one.key: one for one in PAGES}
BY_URL_NAME = {one.url_name: one for one in LISTS.values()}
