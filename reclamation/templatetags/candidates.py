"""The removal candidates of a seat, and what is true of one of them now, for their pages."""

from __future__ import annotations

from typing import Any

from django import template

from reclamation import guards, propose, reexamine
from reclamation.models import RemovalCandidate
from subscriptions.models import Subscription

register = template.Library()
LATEST = 5
CLOSES = "The next daily refresh closes this candidate."
KEEPS = "The account keeps its subscription."


@register.simple_tag
def candidates_of(seat: Subscription) -> dict[str, Any]:
    """The latest candidates of a seat, newest first, whether that one is open, and why no new one can be opened."""
    found = list(seat.removal_candidates.all()[:LATEST])
    is_open = bool(found) and found[0].is_open
    return {"rows": found, "is_open": is_open, "refusal": "" if is_open else propose.refusal_reason(seat)}


@register.filter
def standing(candidate: RemovalCandidate) -> dict[str, str]:
    """A banner for an open candidate: what is true of its account now, and what will become of the candidate."""
    code = guards.code_for(candidate.subscription) if candidate.subscription else guards.ENDED
    if code == guards.ENDED:
        gone = reexamine.GONE if candidate.subscription else reexamine.NOT_KEPT
        return {"tone": "warn", "title": "There is nothing to remove any more", "text": f"{gone} {CLOSES}"}
    if code:
        return {"tone": "warn", "title": "Nothing has been removed", "text": f"{reexamine.REASONS[code]} {CLOSES}"}
    if candidate.attention:
        return {"tone": "warn", "title": "A person has to look at this", "text": f"{candidate.attention} {KEEPS}"}
    return {"tone": "info", "title": "Nothing has been removed", "text": f"A candidate is a proposal. {KEEPS}"}


@register.filter
def after_skipping(candidate: RemovalCandidate) -> str:
    """What closing a candidate as skipped means for its account."""
    gone = candidate.subscription is None or candidate.subscription.ended_at is not None
    return "no longer has the subscription" if gone else "keeps the subscription"
