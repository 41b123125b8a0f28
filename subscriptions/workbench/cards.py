"""Publishers as cards in Core UI: what License usage says of them, in the three tabs of the classic workbench."""

from __future__ import annotations

from django.contrib.auth.models import User

from subscriptions.usage import publishers
from subscriptions.usage.publishers import Publisher
from subscriptions.usage.shown import Shown

ALL, OUT, PINNED = "all", "out", "pinned"
TABS = {ALL: "All Publishers", OUT: "Publishers Out of Compliance", PINNED: "Pinned Publishers"}


def list_cards(user: User, tab: str) -> list[Publisher]:
    """The publishers of a tab as of today, pinned ones first, then by name."""
    found = publishers.list_publishers(Shown(), user)
    return publishers.order(publishers.narrow(found, "", "" if tab == ALL else tab), "name", "")
