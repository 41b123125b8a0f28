"""Whether a person has seen, and where necessary confirmed, which seats would change their user."""

from __future__ import annotations

from django.http import QueryDict

from subscriptions.users import changes_file, compare
from subscriptions.users.compare import UserChanges

# The fields of templates/subscriptions/users/changes.html.
SEEN, CONFIRMED, DOWNLOAD = "seen", "confirmed", "download"


def shown_changes(given: QueryDict) -> int:
    """How many changes to read: those that a page shows, or those of a download."""
    return changes_file.MOST if DOWNLOAD in given else compare.SHOWN


def is_confirmed(changes: UserChanges, posted: QueryDict) -> bool:
    """Whether to go on. The page must have shown these very changes, with a tick if a user would lose a seat."""
    if not changes.total:
        return True
    return posted.get(SEEN) == changes.digest and (not changes.taken or CONFIRMED in posted)
