"""Tables of software models and of subscription identifiers."""

from __future__ import annotations

from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn, NameColumn
from samsaas.lib.tables import Table
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier


class SoftwareModelTable(Table):
    caption = "Software models"
    row_links = True
    empty_title = "No software model yet"
    empty_text = "A software model is created automatically when its first subscription is downloaded."

    product = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ record }}</a>', verbose_name="Software model")
    publisher = NameColumn()
    edition = NameColumn()
    current = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?model={{ record.pk }}\">{{ value|number }}</a>",
        verbose_name="Current subscriptions",
        attrs=NUMBER,
    )
    consuming = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?model={{ record.pk }}&amp;license=yes\">{{ value|number }}</a>",
        verbose_name="Licenses in use",
        attrs=NUMBER,
    )

    left_out = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?model={{ record.pk }}&amp;seats=excluded\">{{ value|number }}</a>",
        verbose_name="Excluded",
        attrs=NUMBER,
    )
    under_management = MarkupColumn(
        "{% if value %}{% pill 'yes' 'Yes' %}{% else %}{% pill 'no' 'No' %}{% endif %}",
        verbose_name="License under management",
    )
    cost_override = MarkupColumn(
        "{% if value is None %}{{ None|number }}{% else %}{{ record.yearly_cost }} {{ record.currency }}{% endif %}",
        verbose_name="Override license cost",
        attrs=NUMBER,
    )

    class Meta(Table.Meta):
        model = SoftwareModel
        fields = (
            *("product", "publisher", "edition", "current", "consuming", "left_out"),
            *("under_management", "cost_override"),
        )
        order_by = "product"


class IdentifierTable(Table):
    """Unrecognized identifiers come first, because somebody has to map them."""

    caption = "Subscription identifiers"
    row_links = True
    empty_title = "No subscription identifier yet"
    empty_text = "Every license type or plan that a download finds is listed here automatically."
    filtered_title = "No identifier matches"

    identifier = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}"><code>{{ value|outside }}</code></a>', attrs=ROOMY
    )
    vendor = MarkupColumn("{{ record.get_vendor_display }}")
    software_model = MarkupColumn(
        "{% if value %}{{ value }}{% else %}{% pill 'warning' 'Unrecognized' %}{% endif %}",
        verbose_name="Software model",
        attrs=ROOMY,
    )
    current = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?identifier={{ record.pk }}\">{{ value|number }}</a>",
        verbose_name="Current subscriptions",
        attrs=NUMBER,
    )
    statuses = MarkupColumn("", verbose_name="By status", orderable=False)
    left_out = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?identifier={{ record.pk }}&amp;seats=excluded\">"
        "{{ value|number }}</a>",
        verbose_name="Excluded",
        attrs=NUMBER,
    )
    ended = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?identifier={{ record.pk }}&amp;seats=ended\">{{ value|number }}</a>",
        attrs=NUMBER,
    )

    class Meta(Table.Meta):
        model = SubscriptionIdentifier
        fields = ("identifier", "vendor", "software_model", "current", "statuses", "left_out", "ended")
        order_by = "software_model"

    def order_software_model(
        self, queryset: QuerySet[SubscriptionIdentifier], is_descending: bool
    ) -> tuple[QuerySet[SubscriptionIdentifier], bool]:
        columns = [F(f"software_model__{name}") for name in ("publisher", "product", "edition")]
        keys = [key.desc(nulls_last=True) if is_descending else key.asc(nulls_first=True) for key in columns]
        return queryset.order_by(*keys, "vendor", "identifier", "pk"), True

    def render_statuses(self, record: SubscriptionIdentifier) -> str:
        """The count of each status that occurs, as a link to its rows."""
        shown = [(status, getattr(record, f"current_{status.value}")) for status in Subscription.Status]
        base = f"{reverse('subscription_list')}?identifier={record.pk}&status="
        links = ((f"{base}{status.value}", f"{count:,}", status.label.lower()) for status, count in shown if count)
        statuses = format_html_join(", ", '<a class="quiet" href="{}">{} {}</a>', links)
        return statuses or format_html('<span class="nothing">{}</span>', "–")
