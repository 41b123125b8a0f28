"""Tables of subscriptions without user, and of the people to match one with."""

from __future__ import annotations

from django.utils.html import format_html

from samsaas.lib.columns import ROOMY, MarkupColumn, WrittenColumn
from samsaas.lib.markup import breakable, outside
from samsaas.lib.selection_bar import TickColumn
from samsaas.lib.tables import Table
from subscriptions import cells
from subscriptions.models import Subscription
from subscriptions.people.tables import PersonTable


def _write_account(seat: Subscription) -> str:
    """How the vendor calls the account, and its address, which may be anybody's if the vendor has not verified it."""
    verified = "(not verified)" if seat.email and not seat.email_verified else ""
    link = format_html('<a href="{}">{}</a>', seat.get_absolute_url(), outside(seat.title))
    return format_html('{}<span class="sub">{} {}</span>', link, breakable(seat.email), verified)


class UnmatchedTable(Table):
    """The view sets `record.suggestions` on its rows, and `back`, the page to return to, in its context."""

    caption = "Subscriptions without user"
    in_files = (
        ("User principal name", "email"),
        ("Verified by the vendor", "email_verified"),
        ("External user id", "external_id"),
        ("Employee number", "employee_id"),
    )
    filtered_title = "No subscription without user matches"
    empty_title = "Every subscription has its user"
    empty_text = "Or none has been downloaded yet. New ones without a user appear here after the daily refresh."

    indexed = ("display_name",)

    tick = TickColumn()
    display_name = WrittenColumn(_write_account, order_by=("display_name", "pk"), attrs=ROOMY)
    profile = MarkupColumn('<span class="clamp">{{ record.profile.display_name|outside }}</span>')
    status = WrittenColumn(cells.write_status)
    suggestions = MarkupColumn(
        '{% include "subscriptions/matching/suggestions.html" with seat=record %}',
        orderable=False,
        exclude_from_export=True,
    )

    def value_display_name(self, record: Subscription) -> str:
        return record.title

    class Meta(Table.Meta):
        model = Subscription
        fields = ("tick", "display_name", "profile", "status", "suggestions")
        sequence = fields
        order_by = "display_name"


class PersonChoiceTable(PersonTable):
    """People to choose the user of a seat from. The view sets `record.seat` on its rows."""

    caption = "People to match with"
    row_links = False
    hidden_at_first = ()

    match = MarkupColumn(
        '{% include "subscriptions/matching/match_button.html" with seat=record.seat person=record %}',
        verbose_name="Match",
        orderable=False,
        exclude_from_export=True,
    )

    class Meta(PersonTable.Meta):
        fields = ("name", "key", "email", "department", "seats", "match")
        exclude = ("cost_center", "country")
