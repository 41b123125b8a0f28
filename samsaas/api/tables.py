"""The table of API tokens, and its filter."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone

from samsaas.lib import search, tables
from samsaas.lib.columns import MarkupColumn
from samsaas.models import ApiToken

VALID, ENDED, ALL = "valid", "ended", "all"


class TokenFilter(tables.ListFilter):
    """Without a choice the list shows the tokens that open something."""

    q = tables.search(placeholder="Name, account or beginning", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State", choices=[(ENDED, "Expired or revoked"), (ALL, "All")], empty_label="Valid", method="by_state"
    )

    class Meta:
        model = ApiToken
        fields = ("q", "state")

    def filter_queryset(self, queryset: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
        chosen = super().filter_queryset(queryset)
        return chosen if self.form.cleaned_data.get("state") else chosen.exclude(is_ended())

    def by_state(self, queryset: QuerySet[ApiToken], name: str, value: str) -> QuerySet[ApiToken]:
        return queryset.filter(is_ended()) if value == ENDED else queryset

    def by_text(self, queryset: QuerySet[ApiToken], name: str, value: str) -> QuerySet[ApiToken]:
        beginning = Q(prefix__startswith=value[:10])  # of the token, whose letters' case counts
        return search.find(queryset, value, "name", "user__username", or_else=beginning)


def is_ended() -> Q:
    return Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())


class TokenTable(tables.Table):
    caption = "API tokens"
    empty_title = "No API tokens"
    empty_text = "A token lets a program read and act in your name, with no more than the role you choose."

    name = MarkupColumn(
        '<span class="clamp">{{ record.name|outside }}</span><span class="sub"><code>{{ record.prefix }}…</code></span>'
    )
    user = MarkupColumn("{{ record.user.username|outside }}", verbose_name="Account", order_by="user__username")
    role = MarkupColumn("{{ record.role }}", verbose_name="At most")
    expires_at = MarkupColumn("{{ record.last_day|date:'j M Y' }}", verbose_name="Valid until")
    last_used_at = MarkupColumn(
        "{% if record.last_used_at %}{{ record.last_used_at|when }}"
        '<span class="sub">from {{ record.last_used_from }}</span>{% else %}Never{% endif %}',
        verbose_name="Last used",
    )
    end = MarkupColumn(
        "{% if record.revoked_at %}Revoked {{ record.revoked_at|when }}{% elif record.is_open %}"
        "{% if record.rests %}<div>Rests until its owner signs on</div>{% endif %}"
        "<a href=\"{% url 'token_revoke' record.pk %}\">Revoke"
        '<span class="visually-hidden"> {{ record.name|outside }}</span></a>{% else %}Expired{% endif %}',
        verbose_name="State",
        orderable=False,
    )

    class Meta(tables.Table.Meta):
        model = ApiToken
        fields = ("name", "user", "role", "expires_at", "last_used_at", "end")
        order_by = "name"
