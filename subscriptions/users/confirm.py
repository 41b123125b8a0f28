"""Whether a person has seen, and where necessary confirmed, which seats would change their user."""

from __future__ import annotations

from django.http import QueryDict

from subscriptions.users.compare import UserChanges

SEEN, CONFIRMED = "seen", "confirmed"  # the fields of templates/subscriptions/users/changes.html


def is_confirmed(changes: UserChanges, posted: QueryDict) -> bool:
    """Whether to go on. The page must have shown these very changes, with a tick if a user would lose a seat."""
    if not changes.total:
        return True
    return posted.get(SEEN) == changes.digest and (not changes.taken or CONFIRMED in posted)
