"""Tables of people, of an import's lines, and of seats without a user."""

from __future__ import annotations

from samsaas.lib.tables import NUMBER, ROOMY, MarkupColumn, NameColumn, Table
from subscriptions.models import Person, PersonImportRow, Subscription

PERSON = (
    '<a href="{{ record.get_absolute_url }}">{{ record.name|outside }}</a>'
    '{% include "subscriptions/people/left.html" with person=record %}'
)
ADDRESS = (
    "{% for held in record.addresses.all %}{% if forloop.first %}{{ held.address|breakable }}"
    '{% if record.addresses.all|length > 1 %}<span class="sub">and {{ record.addresses.all|length|add:"-1" }} more'
    "</span>{% endif %}{% endif %}{% empty %}{{ ''|outside }}{% endfor %}"
)


class PersonTable(Table):
    caption = "People"
    row_links = True
    filtered_title = "Nobody matches"
    empty_title = "Nobody in the directory yet"

    name = MarkupColumn(PERSON, order_by=("name", "pk"), attrs=ROOMY)
    key = NameColumn(verbose_name="Employee number")
    email = MarkupColumn(ADDRESS, verbose_name="E-mail", orderable=False)
    department = NameColumn()
    country = NameColumn()
    seats = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}#seats">{{ value|number }}</a>', verbose_name="Seats", attrs=NUMBER
    )

    class Meta(Table.Meta):
        model = Person
        fields = ("name", "key", "email", "department", "country", "seats")
        order_by = "name"


class ImportRowTable(Table):
    caption = "Lines of the file"
    empty_title = "No line"
    filtered_title = "No such line"

    line = MarkupColumn("{{ value|number }}", attrs=NUMBER)
    effect = MarkupColumn("{% load people_import %}{{ record|import_effect }}", verbose_name="Effect")
    key = NameColumn(verbose_name="Employee number")
    name = MarkupColumn(
        "{% load people_import %}{{ record.values.cells.name|long_text:80 }}",
        orderable=False,
        attrs=ROOMY,
    )
    detail = MarkupColumn(
        '{% include "subscriptions/people/imports/row_detail.html" with row=record %}', orderable=False
    )

    class Meta(Table.Meta):
        model = PersonImportRow
        fields = ("line", "effect", "key", "name", "detail")
        order_by = "line"


class UnmatchedTable(Table):
    """`record.suggestions` and `back`, where to return to, are set by the page for its rows."""

    caption = "Subscriptions without user"
    filtered_title = "No such subscription without user"
    empty_title = "Every subscription has its user"
    empty_text = "Or none has been downloaded yet. New ones without a user appear here after the daily refresh."

    display_name = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ record.display_name|default:record.external_id|outside }}</a>'
        '<span class="sub">{{ record.email|breakable }} '
        "{% if record.email and not record.email_verified %}(not verified){% endif %}</span>",
        order_by=("display_name", "pk"),
        attrs=ROOMY,
    )
    profile = MarkupColumn('<span class="clamp">{{ record.profile.display_name|outside }}</span>')
    status = MarkupColumn("{% pill record.status record.get_status_display %}")
    suggestions = MarkupColumn(
        '{% include "subscriptions/matching/suggestions.html" with seat=record %}', orderable=False
    )

    class Meta(Table.Meta):
        model = Subscription
        fields = ("display_name", "profile", "status", "suggestions")
        order_by = "display_name"


class CandidateTable(PersonTable):
    """People one of whom a seat is to be matched with; `record.seat` is set by the page for its rows."""

    caption = "People to match with"
    row_links = False

    match = MarkupColumn(
        '{% include "subscriptions/matching/match_button.html" with seat=record.seat person=record %}',
        verbose_name="Match",
        orderable=False,
    )

    class Meta(PersonTable.Meta):
        fields = ("name", "key", "email", "department", "seats", "match")
        exclude = ("country",)
