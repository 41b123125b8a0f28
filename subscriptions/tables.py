"""Tables of software subscriptions, software models and subscription identifiers."""

from __future__ import annotations

from django.db.models import F, QuerySet
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from samsaas.lib.tables import NUMBER, ROOMY, MarkupColumn, NameColumn, Table
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier


def by_known(queryset: QuerySet[Subscription], column: str, is_descending: bool) -> tuple[QuerySet[Subscription], bool]:
    """Sorted by a column not every seat has; those without it come last, either way, on every database."""
    key = F(column).desc(nulls_last=True) if is_descending else F(column).asc(nulls_last=True)
    return queryset.order_by(key, "pk"), True


class SubscriptionTable(Table):
    caption = "Software subscriptions"
    row_links = True
    filtered_title = "No subscription matches"
    empty_title = "No subscription yet"
    empty_text = "Open an integration profile, connect it, and download the subscriptions of its team."

    display_name = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{% if record.display_name %}{{ record.display_name|outside }}'
        "{% else %}No name{% endif %}</a>"
        "{% if record.is_admin %} {% pill 'connected' 'Admin' %}{% endif %}",
        order_by=("display_name", "pk"),
        attrs=ROOMY,
    )
    email = MarkupColumn("{{ value|breakable }}", verbose_name="User principal name")
    software_model = MarkupColumn(
        "{% if record.identifier.software_model %}{{ record.identifier.software_model }}"
        "{% else %}{% pill 'unknown' 'Unrecognised' %}{% endif %}"
        '<span class="sub profile-too clamp">{{ record.profile.display_name|outside }}</span>',
        order_by="identifier__software_model__edition",
    )
    profile = MarkupColumn(
        '<span class="clamp">{{ record.profile.display_name|outside }}</span>', verbose_name="Subscription profile"
    )
    status = MarkupColumn(
        "{% if record.ended_at %}{% pill 'ended' 'Ended' %}"
        "{% else %}{% pill record.status record.get_status_display %}"
        "{% if record.excluded %} {% pill 'cancelled' 'Excluded' %}{% endif %}{% endif %}"
    )
    consumes_licence = MarkupColumn(
        "{% if record.consumes_licence and not record.ended_at and not record.excluded %}{% pill 'yes' 'Yes' %}"
        "{% else %}{% pill 'no' 'No' %}{% endif %}",
        verbose_name="Licence",
    )
    user = MarkupColumn(
        '{% if record.match %}<a class="quiet" href="{{ record.match.person.get_absolute_url }}">'
        "{{ record.match.person.name|outside }}</a>{% if record.match.person.has_left %} {% pill 'removed' 'Left' %}"
        "{% endif %}{% else %}{{ None|number }}{% endif %}",
        verbose_name="User",
    )
    last_activity = MarkupColumn(
        "{% if record.last_activity %}{{ record.last_activity.at|day }}"
        '{% elif record.watched %}<span class="muted">No activity known</span>'
        '{% else %}<span class="muted">Not covered</span>{% endif %}',
        verbose_name="Last activity",
    )
    inactive_days = MarkupColumn(
        "{% load seats %}{% if record.ended_at or not record.last_activity %}{{ None|number }}"
        "{% elif record.watched %}{{ record.last_activity.at|inactive_days|number }}"
        '{% else %}<span class="muted" title="The time since the latest known activity is not fully covered.">'
        "Unknown</span>{% endif %}",
        verbose_name="Inactive days",
        attrs=NUMBER,
    )

    def order_email(self, queryset: QuerySet[Subscription], is_descending: bool) -> tuple[QuerySet[Subscription], bool]:
        key = Upper("email")  # as the index has it
        return queryset.order_by(key.desc() if is_descending else key.asc(), "pk"), True

    def order_user(self, queryset: QuerySet[Subscription], is_descending: bool) -> tuple[QuerySet[Subscription], bool]:
        return by_known(queryset, "match__person__name", is_descending)

    def order_last_activity(
        self, queryset: QuerySet[Subscription], is_descending: bool
    ) -> tuple[QuerySet[Subscription], bool]:
        return by_known(queryset, "last_activity__at", is_descending)

    def order_inactive_days(
        self, queryset: QuerySet[Subscription], is_descending: bool
    ) -> tuple[QuerySet[Subscription], bool]:
        return by_known(queryset, "last_activity__at", not is_descending)

    class Meta(Table.Meta):
        model = Subscription
        fields = (
            "display_name",
            "email",
            "software_model",
            "profile",
            "status",
            "consumes_licence",
            "user",
            "last_activity",
            "inactive_days",
        )
        order_by = "display_name"


class SoftwareModelTable(Table):
    caption = "Software models"
    row_links = True
    empty_title = "No software model yet"
    empty_text = "A software model is created by itself when the first subscription of it is downloaded."

    product = MarkupColumn('<a href="{{ record.get_absolute_url }}">{{ record }}</a>', verbose_name="Software model")
    publisher = NameColumn()
    edition = NameColumn()
    current = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?model={{ record.pk }}\">{{ value|number }}</a>",
        verbose_name="Current seats",
        attrs=NUMBER,
    )
    consuming = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?model={{ record.pk }}&amp;licence=yes\">{{ value|number }}</a>",
        verbose_name="Licences used",
        attrs=NUMBER,
    )

    left_out = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?model={{ record.pk }}&amp;seats=excluded\">{{ value|number }}</a>",
        verbose_name="Left out by a rule",
        attrs=NUMBER,
    )
    under_management = MarkupColumn(
        "{% if value %}{% pill 'yes' 'Yes' %}{% else %}{% pill 'no' 'No' %}{% endif %}",
        verbose_name="License under management",
    )
    cost_override = MarkupColumn(
        "{% if value is None %}{{ None|number }}{% else %}{{ value }} {{ record.currency }}{% endif %}",
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
    """Unrecognised identifiers come first: they are work."""

    caption = "Subscription identifiers"
    row_links = True
    empty_title = "No subscription identifier yet"
    empty_text = "Every seat type or plan that a download names is listed here by itself."
    filtered_title = "No identifier matches"

    identifier = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}"><code>{{ value|outside }}</code></a>', attrs=ROOMY
    )
    vendor = MarkupColumn("{{ record.get_vendor_display }}")
    software_model = MarkupColumn(
        "{% if value %}{{ value }}{% else %}{% pill 'warning' 'Unrecognised' %}{% endif %}",
        verbose_name="Software model",
        attrs=ROOMY,
    )
    current = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?identifier={{ record.pk }}\">{{ value|number }}</a>",
        verbose_name="Current seats",
        attrs=NUMBER,
    )
    statuses = MarkupColumn("", verbose_name="By status", orderable=False)
    left_out = MarkupColumn(
        "<a href=\"{% url 'subscription_list' %}?identifier={{ record.pk }}&amp;seats=excluded\">"
        "{{ value|number }}</a>",
        verbose_name="Left out by a rule",
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
        """Every status somebody has, with the way to the rows behind it."""
        shown = [(status, getattr(record, f"current_{status.value}")) for status in Subscription.Status]
        base = f"{reverse('subscription_list')}?identifier={record.pk}&status="
        links = ((f"{base}{status.value}", f"{count:,}", status.label.lower()) for status, count in shown if count)
        told = format_html_join(", ", '<a class="quiet" href="{}">{} {}</a>', links)
        return told or format_html('<span class="nothing">{}</span>', "–")
