"""The table of removal candidates."""

from __future__ import annotations

from django.utils.html import format_html

from reclamation.models import RemovalCandidate
from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NameColumn, WrittenColumn
from samsaas.lib.markup import NOTHING, outside, pill
from samsaas.lib.selection_bar import TickColumn
from samsaas.lib.tables import Table
from subscriptions.tables import OF_THE_PERSON


def _write_number(candidate: RemovalCandidate) -> str:
    return format_html('<a href="{}">{}</a>', candidate.get_absolute_url(), candidate.number)


def _write_state(candidate: RemovalCandidate) -> str:
    return pill(candidate.state, candidate.get_state_display())


def _write_assignment(candidate: RemovalCandidate) -> str:
    """The person and the group that decide."""
    person, group = candidate.assigned_to, candidate.assignment_group
    of_group = format_html(' <span class="sub">{}</span>', outside(group.name)) if group else ""
    return format_html("{}{}", outside(person.get_username()) if person else "", of_group) or NOTHING


class CandidateTable(Table):
    caption = "Removal candidates"
    in_files = (
        ("User principal name", "email"),
        ("Subscription profile", "profile_name"),
        *((heading, f"subscription__{path}") for heading, path in OF_THE_PERSON),
    )
    row_links = True
    hidden_at_first = ("profile_name", "justification", "opened_at", "opened_by")
    filtered_title = "No removal candidate matches"
    empty_title = "No open removal candidate"
    empty_text = (
        "Candidates are found after every daily refresh. To propose one yourself, open a software subscription and "
        "press Propose for removal. That does not remove it yet."
    )

    tick = TickColumn()
    id = WrittenColumn(_write_number, verbose_name="Number")
    display_name = MarkupColumn("{{ record.display_name|outside }}", attrs=ROOMY)
    email = MarkupColumn("{{ value|breakable }}", verbose_name="E-mail")
    software_model = MarkupColumn("{% if value %}{{ value }}{% else %}{% pill 'unknown' 'Unrecognized' %}{% endif %}")
    profile_name = NameColumn(verbose_name="Profile")
    state = WrittenColumn(_write_state)
    reason = MarkupColumn("{% load candidates %}{{ record|reason_label }}")
    justification = MarkupColumn("{{ record.get_justification_display }}")
    inactive_days = MarkupColumn(
        "{% load candidates %}{{ record|evidence_days }}", verbose_name="Inactive days", attrs=NUMBER, orderable=False
    )
    savings = MarkupColumn(
        "{% load candidates %}{{ record|potential_savings }}",
        verbose_name="Saves a year",
        attrs=NUMBER,
        orderable=False,
    )
    deadline = MarkupColumn("{{ value|day }}", verbose_name="Answer until")
    assigned_to = WrittenColumn(_write_assignment, order_by=("assigned_to__username", "assignment_group__name"))
    opened_at = MarkupColumn("{{ value|day }}", verbose_name="Opened")
    opened_by = MarkupColumn('{{ record.opened_by.get_username|default:"samsaas"|outside }}', orderable=False)

    def value_id(self, record: RemovalCandidate) -> str:
        return record.number

    def value_display_name(self, record: RemovalCandidate) -> str:
        return record.display_name

    def value_software_model(self, record: RemovalCandidate) -> str:
        return record.software_model

    class Meta(Table.Meta):
        model = RemovalCandidate
        fields = (
            *("tick", "id", "display_name", "email", "software_model", "profile_name", "state", "reason"),
            *("justification", "inactive_days", "savings", "deadline", "assigned_to", "opened_at", "opened_by"),
        )
        order_by = "-id"
