"""Tables of the exclusion rules, with how many subscriptions each of them excludes now."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.utils.html import format_html

from samsaas.lib.columns import NUMBER, ROOMY, MarkupColumn
from samsaas.lib.tables import Table
from subscriptions.exclusions import exclude
from subscriptions.models import IdentifierExclusion, UserExclusion


class ExclusionTable(Table):
    """The columns both kinds share. How many seats the rules of a page exclude is counted in one query."""

    row_links = True
    filtered_title = "No rule matches"

    profile = MarkupColumn(
        '{% if value %}<span class="clamp">{{ value.display_name|outside }}</span>{% else %}Every profile{% endif %}',
        verbose_name="Subscription profile",
    )
    reason = MarkupColumn("{{ value|outside }}")
    active = MarkupColumn("{% if value %}{% pill 'yes' 'On' %}{% else %}{% pill 'no' 'Off' %}{% endif %}")
    left_out = MarkupColumn("", verbose_name="Excluded now", attrs=NUMBER, orderable=False)

    def render_left_out(self, record: Any) -> str:
        if not record.active:
            return format_html('<span class="nothing">{}</span>', "–")
        return f"{self.left_out_now.get(record.pk, 0):,}"

    @cached_property
    def left_out_now(self) -> dict[int, int]:
        return self.count_excluded([row.record for row in self.paginated_rows])

    def count_excluded(self, rules: list[Any]) -> dict[int, int]:
        raise NotImplementedError


class IdentifierExclusionTable(ExclusionTable):
    caption = "Subscription identifier exclusion rules"
    empty_title = "No identifier is excluded"
    empty_text = "A rule excludes every subscription of an identifier, such as a free plan. They stay listed."

    identifier = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}"><code>{{ record.identifier.identifier|outside }}</code></a>',
        verbose_name="Subscription identifier",
        order_by="identifier__identifier",
        attrs=ROOMY,
    )

    class Meta(Table.Meta):
        model = IdentifierExclusion
        fields = ("identifier", "profile", "reason", "active", "left_out")
        sequence = fields
        order_by = "identifier"

    def count_excluded(self, rules: list[IdentifierExclusion]) -> dict[int, int]:
        return exclude.count_by_identifier(rules)


class UserExclusionTable(ExclusionTable):
    caption = "Subscription user exclusion rules"
    empty_title = "No user is excluded"
    empty_text = "A rule excludes an address, a pattern such as test-*, or a whole domain. They stay listed."

    pattern = MarkupColumn(
        '<a href="{{ record.get_absolute_url }}">{{ value|breakable }}</a>',
        verbose_name="User principal name",
        attrs=ROOMY,
    )

    class Meta(Table.Meta):
        model = UserExclusion
        fields = ("pattern", "profile", "reason", "active", "left_out")
        sequence = fields
        order_by = "pattern"

    def render_pattern(self, record: UserExclusion) -> Any:
        return self.columns["pattern"].column.render(record=record, value=record.pattern or f"*@{record.domain}")

    def count_excluded(self, rules: list[UserExclusion]) -> dict[int, int]:
        return exclude.count_by_user(rules)
