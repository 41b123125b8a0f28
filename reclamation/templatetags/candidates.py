"""The removal candidates of a seat, for its page."""

from __future__ import annotations

from typing import Any

from django import template

from reclamation import propose
from subscriptions.models import Subscription

register = template.Library()
LATEST = 5


@register.simple_tag
def candidates_of(seat: Subscription) -> dict[str, Any]:
    """The latest candidates of a seat, newest first, whether that one is open, and why no new one can be opened."""
    found = list(seat.removal_candidates.all()[:LATEST])
    is_open = bool(found) and found[0].is_open
    return {"rows": found, "is_open": is_open, "refusal": "" if is_open else propose.refusal_reason(seat)}
