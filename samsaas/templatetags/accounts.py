"""How an invitation stands, for its pill, and whether the reader needs a second factor."""

from __future__ import annotations

from django import template
from django.template.context import RequestContext
from django.utils import timezone

from samsaas import second_factor
from samsaas.models import Invitation

register = template.Library()


@register.simple_tag(takes_context=True)
def second_factor_required(context: RequestContext) -> bool:
    """Whether a role of the signed-in account needs a second factor."""
    request = context.get("request")
    return request is not None and second_factor.is_required(request.user)


@register.filter
def invitation_state(invitation: Invitation) -> tuple[str, str]:
    """The state's key, which gives the pill its color, and its label, of a row of `invite.with_senders`."""
    if invitation.accepted_at:
        return "granted", "Accepted"
    if invitation.withdrawn_at:
        return "withdrawn", "Withdrawn"
    if invitation.expires_at <= timezone.now():
        return "ended", "Expired"
    return ("open", "Open") if invitation.has_sender else ("ended", "Sender is no administrator")  # type: ignore[attr-defined]
