"""The filters of the lists of accounts and invitations. Their state is in the URL."""

from __future__ import annotations

import django_filters
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from samsaas import roles
from samsaas.lib import search
from samsaas.lib.tables import ListFilter, search as search_field
from samsaas.models import Invitation

NONE, SUPERUSER = "none", "superuser"
ACTIVE, DEACTIVATED = "active", "deactivated"
OPEN, SENDER_GONE, EXPIRED, ACCEPTED, WITHDRAWN = "open", "sender_gone", "expired", "accepted", "withdrawn"
ROLE_CHOICES = [*((role, role) for role in roles.ROLES), (SUPERUSER, "superuser"), (NONE, "No role")]


class AccountFilter(ListFilter):
    q = search_field(placeholder="Name, user name or e-mail", method="by_text")
    role = django_filters.ChoiceFilter(label="Role", choices=ROLE_CHOICES, empty_label="Any", method="by_role")
    state = django_filters.ChoiceFilter(
        label="State",
        choices=[(ACTIVE, "Active"), (DEACTIVATED, "Deactivated")],
        empty_label="Any",
        method="by_state",
    )

    class Meta:
        model = User
        fields = ("q", "role", "state")

    def by_text(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return search.find(queryset, value, "first_name", "last_name", "username", "email")

    def by_role(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        if value == SUPERUSER:
            return queryset.filter(is_superuser=True)
        holding = Q(pk__in=User.objects.filter(groups__name__in=roles.ROLES if value == NONE else [value]).values("pk"))
        return queryset.filter(~holding, is_superuser=False) if value == NONE else queryset.filter(holding)

    def by_state(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return queryset.filter(is_active=value == ACTIVE)


class InvitationFilter(ListFilter):
    q = search_field(placeholder="User name or e-mail", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State",
        choices=[
            (OPEN, "Open"),
            (SENDER_GONE, "Sender is no administrator"),
            (EXPIRED, "Expired"),
            (ACCEPTED, "Accepted"),
            (WITHDRAWN, "Withdrawn"),
        ],
        empty_label="Any",
        method="by_state",
    )

    class Meta:
        model = Invitation
        fields = ("q", "state")

    def by_text(self, queryset: QuerySet[Invitation], name: str, value: str) -> QuerySet[Invitation]:
        return search.find(queryset, value, "username", "email")

    def by_state(self, queryset: QuerySet[Invitation], name: str, value: str) -> QuerySet[Invitation]:
        now = timezone.now()
        waiting = Q(accepted_at=None, withdrawn_at=None)
        wanted = {
            OPEN: waiting & Q(expires_at__gt=now, has_sender=True),
            SENDER_GONE: waiting & Q(expires_at__gt=now, has_sender=False),
            EXPIRED: waiting & Q(expires_at__lte=now),
            ACCEPTED: Q(accepted_at__isnull=False),
            WITHDRAWN: Q(withdrawn_at__isnull=False),
        }
        return queryset.filter(wanted[value])
