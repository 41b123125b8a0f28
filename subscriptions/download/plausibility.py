"""May seats end after this listing? Stale data beats empty data: in doubt nothing ends and a person is asked.

An empty list against a vendor who counts accounts is no list at all: that fails the run. Everything else here withholds
only the endings, with a sentence that names both numbers and says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from profiles.connectors import base

SHARE = 0.1
ALWAYS = 2

CONFIRM = (
    "What was added or changed is published, nothing ended. Compare with the vendor's own member list; if it is right, "
    "confirm on this run's page, and the next full listing ends them."
)
READ = "What was added or changed is published, nothing ended. Report the records below; the next run tries again."


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A whole listing in numbers: `listed` living accounts, `current` seats before, `ending` of them missing now.

    `confirmed` is how many endings the last held run asked a person about, `None` if none did.
    """

    listed: int
    set_aside: int
    unreadable: int
    current: int
    ending: int
    provisioned: int | None
    accept_drop: bool = False
    confirmed: int | None = None


def tolerance(of: int) -> int:
    """How many of so many may go missing without a word: a tenth, and always two, so that small teams can shrink."""
    return max(ALWAYS, int(of * SHARE))


def check_not_empty(listing: Listing) -> None:
    """Raises ProtocolError for an empty list while the vendor itself counts accounts, and for one nobody can read."""
    if not listing.listed and listing.set_aside:
        raise base.ProtocolError(
            f"Not one of the {listing.set_aside:,} listed accounts could be read.",
            remedy="Nothing was changed. Report the records in the warnings; the vendor's format may have changed.",
        )
    if not listing.listed and not listing.set_aside and listing.provisioned:
        raise base.ProtocolError(
            f"The vendor listed no account at all, although it counts {listing.provisioned:,} of them.",
            remedy="Nothing was changed. The next run tries again; if it stays empty, check the authorizing admin's "
            "role and the app's scopes, then report it to the vendor.",
        )


def why_nothing_ends(listing: Listing) -> str:
    """The reason to withhold all endings of this run, or an empty text when they may happen."""
    if not listing.ending:
        return ""
    if listing.unreadable:
        return (
            f"{listing.unreadable:,} of {listing.listed + listing.set_aside:,} listed accounts could not even be told "
            f"apart, so any of the {listing.ending:,} seats missing from the list may be one of them. {READ}"
        )
    if not listing.listed and not (listing.accept_drop and listing.provisioned == 0):
        return f"The vendor listed no account, and all {listing.ending:,} current seats would end. {CONFIRM}"
    return _too_many(listing) or _too_few(listing)


def _too_many(listing: Listing) -> str:
    if listing.accept_drop:
        most = listing.ending if listing.confirmed is None else listing.confirmed + tolerance(listing.confirmed)
        if listing.ending <= most:
            return ""
        return f"{listing.ending:,} seats are missing now, but only {listing.confirmed:,} were confirmed. {CONFIRM}"
    if listing.ending <= tolerance(listing.current):
        return ""
    return (
        f"{listing.ending:,} of {listing.current:,} current seats are missing from the vendor's list, more than the "
        f"{tolerance(listing.current):,} that may end without a person's word. {CONFIRM}"
    )


def is_short(listing: Listing) -> bool:
    """Fewer accounts than the vendor's own count, by more than the tolerance.

    All living accounts are compared, whether or not they use a license: the vendor counts accounts. Listing more than
    it counts is normal, since it may leave out suspended ones.
    """
    if listing.provisioned is None:
        return False
    return listing.listed + listing.set_aside < listing.provisioned - tolerance(listing.provisioned)


def _too_few(listing: Listing) -> str:
    if listing.accept_drop or not is_short(listing):
        return ""
    return (
        f"The vendor listed {listing.listed + listing.set_aside:,} accounts but counts {listing.provisioned:,}, and "
        f"{listing.ending:,} current seats are missing from the list. {CONFIRM}"
    )
