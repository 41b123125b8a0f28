"""The tables of accounts and invitations."""

from __future__ import annotations

from django.contrib.auth.models import User

from samsaas.lib.columns import ROOMY, MarkupColumn
from samsaas.lib.tables import Table
from samsaas.models import Invitation

ROLES = (
    "{% for group in record.groups.all %}<div>{{ group.name }}</div>{% endfor %}"
    "{% if record.is_superuser %}<div>superuser</div>"
    "{% elif not record.groups.all %}{{ ''|outside }}{% endif %}"
)
ACCOUNT = (
    "<a href=\"{% url 'account_detail' record.pk %}\">{{ record.username|breakable }}</a>"
    '{% if record.get_full_name %}<span class="sub">{{ record.get_full_name|outside }}</span>{% endif %}'
)
INVITATION = (
    '<a href="{{ record.get_absolute_url }}">{{ record.email|breakable }}</a>'
    '{% if record.username != record.email %}<span class="sub">{{ record.username|outside }}</span>{% endif %}'
)


class AccountTable(Table):
    caption = "Accounts"
    row_links = True
    filtered_title = "No account matches"

    username = MarkupColumn(ACCOUNT, verbose_name="Account", attrs=ROOMY)
    email = MarkupColumn("{{ record.email|breakable }}", verbose_name="E-mail")
    roles = MarkupColumn(ROLES, orderable=False)
    is_active = MarkupColumn(
        "{% if record.is_active %}{% pill 'active' 'Active' %}{% else %}{% pill 'removed' 'Deactivated' %}{% endif %}",
        verbose_name="State",
    )
    last_login = MarkupColumn("{{ record.last_login|ago:'Never' }}", verbose_name="Last sign-in")

    class Meta(Table.Meta):
        model = User
        fields = ("username", "email", "roles", "is_active", "last_login")
        order_by = "username"


class InvitationTable(Table):
    caption = "Invitations"
    row_links = True
    empty_title = "Nobody has been invited yet"
    filtered_title = "No invitation matches"

    email = MarkupColumn(INVITATION, verbose_name="Invited", attrs=ROOMY)
    roles = MarkupColumn(
        "{% for role in record.roles %}<div>{{ role }}</div>{% empty %}{{ ''|outside }}{% endfor %}", orderable=False
    )
    state = MarkupColumn(
        "{% include 'samsaas/accounts/invitation_state.html' with one=record %}", verbose_name="State", orderable=False
    )
    invited_at = MarkupColumn("{{ record.invited_at|when }}", verbose_name="Invited at")
    invited_by = MarkupColumn("{{ record.invited_by.get_username|outside }}", verbose_name="By", orderable=False)

    class Meta(Table.Meta):
        model = Invitation
        fields = ("email", "roles", "state", "invited_at", "invited_by")
        order_by = "-invited_at"
