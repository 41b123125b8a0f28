"""The table of an entitlement's allocations."""

from __future__ import annotations

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NameColumn
from samsaas.lib.tables import Table
from subscriptions.models import Allocation

PERSON = (
    '<a href="{{ record.person.get_absolute_url }}">{{ record.person.name|outside }}</a>'
    '{% include "subscriptions/people/left.html" with person=record.person %}'
)
USE = (
    "{% if value >= record.quantity %}{% pill 'yes' 'In use' %}"
    "{% elif value %}{% pill 'warning' 'Partly in use' %}{% else %}{% pill 'no' 'Not in use' %}{% endif %}"
)
RELEASE = (
    '<a class="btn btn-secondary btn-sm" href="{% url \'allocation_release\' record.pk %}">'
    'Release<span class="visually-hidden"> the rights of {{ record.person|visible }}</span></a>'
)


class AllocationTable(Table):
    caption = "Allocations"
    filtered_title = "Nobody matches"
    empty_title = "No right is allocated"
    empty_text = "Allocate rights to people who shall have one before others. Whoever has none gets what is left."

    person = MarkupColumn(PERSON, order_by=("person__name", "pk"), attrs=ROOMY)
    key = NameColumn(accessor="person__key", verbose_name="Employee number")
    department = NameColumn(accessor="person__department")
    quantity = MarkupColumn("{{ value|number }}", verbose_name="Rights", attrs=NUMBER)
    seats = MarkupColumn(USE, verbose_name="Use", orderable=False)
    assigned_on = MarkupColumn("{{ value|date:'j M Y' }}", verbose_name="Since")
    source = MarkupColumn("{{ record.get_source_display }}", orderable=False)
    release = MarkupColumn(RELEASE, verbose_name="Action", orderable=False)

    class Meta(Table.Meta):
        model = Allocation
        fields = ("person", "key", "department", "quantity", "seats", "assigned_on", "source", "release")
        sequence = fields
        order_by = "person"
