"""The table of people."""

from __future__ import annotations

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NameColumn
from samsaas.lib.tables import Table
from subscriptions.models import Person

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
    hidden_at_first: tuple[str, ...] = ("cost_center",)
    indexed = ("name", "key", "department", "cost_center", "country")
    filtered_title = "Nobody matches"
    empty_title = "Nobody in the directory yet"

    name = MarkupColumn(PERSON, order_by=("name", "pk"), attrs=ROOMY)
    key = NameColumn(verbose_name="Employee number")
    email = MarkupColumn(ADDRESS, verbose_name="E-mail", orderable=False)
    department = NameColumn()
    cost_center = NameColumn()
    country = NameColumn()
    seats = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}#seats">{{ value|number }}</a>',
        verbose_name="Subscriptions",
        attrs=NUMBER,
    )

    class Meta(Table.Meta):
        model = Person
        fields: tuple[str, ...] = ("name", "key", "email", "department", "cost_center", "country", "seats")
        order_by = "name"
