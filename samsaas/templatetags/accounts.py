"""How an invitation stands, for its pill."""

from __future__ import annotations

from django import template
from django.utils import timezone

from samsaas.models import Invitation

register = template.Library()


@register.filter
def invitation_state(invitation: Invitation) -> tuple[str, str]:
    """The state's key, which gives the pill its color, and its label."""
    if invitation.accepted_at:
        return "granted", "Accepted"
    if invitation.withdrawn_at:
        return "withdrawn", "Withdrawn"
    return ("open", "Open") if invitation.expires_at > timezone.now() else ("ended", "Expired")
