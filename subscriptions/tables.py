"""Tables of software subscriptions and software models."""

from __future__ import annotations

from samsaas.lib.tables import NUMBER, ROOMY, MarkupColumn, NameColumn, Table
from subscriptions.models import SoftwareModel, Subscription


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
        "{% else %}{% pill 'unknown' 'Unrecognised' %}{% endif %}",
        order_by="identifier__software_model__edition",
    )
    profile = MarkupColumn(
        '<span class="clamp">{{ record.profile.display_name|outside }}</span>', verbose_name="Subscription profile"
    )
    status = MarkupColumn(
        "{% if record.ended_at %}{% pill 'ended' 'Ended' %}"
        "{% else %}{% pill record.status record.get_status_display %}{% endif %}"
    )
    consumes_licence = MarkupColumn(
        "{% if record.consumes_licence and not record.ended_at %}{% pill 'yes' 'Yes' %}"
        "{% else %}{% pill 'no' 'No' %}{% endif %}",
        verbose_name="Licence",
    )
    assigned_at = MarkupColumn("{{ record.assigned_at|day }}", verbose_name="Subscription assigned")

    class Meta(Table.Meta):
        model = Subscription
        fields = (
            "display_name",
            "email",
            "software_model",
            "profile",
            "status",
            "consumes_licence",
            "assigned_at",
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

    class Meta(Table.Meta):
        model = SoftwareModel
        fields = ("product", "publisher", "edition", "current", "consuming")
        order_by = "product"
