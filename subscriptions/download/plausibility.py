"""Decides whether seats may end after a listing. In doubt nothing ends and a person is asked.

An empty list from a vendor that counts accounts fails the run. Every other doubt only withholds the endings, with a
sentence that names both numbers and says what to do.

Where the vendor counts its accounts, the list may shrink by as much as the count does (`net_change`), up to half of the
seats. Where it does not, or where there is no earlier listing to compare with, a tenth may end.
"""

from __future__ import annotations

from dataclasses import dataclass

from profiles.connectors import base
from subscriptions.download.net_change import NetChange, close_tolerance

SHARE = 0.1
ALWAYS = 2

CONFIRM = (
    "New and changed subscriptions are published; none was ended. Compare with the vendor's own member list. "
    "If this is right, confirm on this run's page, and the next full listing ends them."
)
READ = (
    "New and changed subscriptions are published; none was ended. Report the records below. The next run tries again."
)


@dataclass(frozen=True, kw_only=True)
class ListingFigures:
    """A whole listing in numbers.

    `listed` counts accounts that are not removed; `set_aside` counts records that could not be read, `unreadable` those
    of them without a readable id. Of the `current` seats from before, `ending` are missing now. `provisioned` is the
    vendor's own count of accounts, and `change` what it says beside the last accepted listing of this team. `moved`
    means that the last accepted listing is of another team. `confirmed` is the number of endings that the last held run
    asked a person about.
    """

    listed: int
    set_aside: int
    unreadable: int
    current: int
    ending: int
    provisioned: int | None
    change: NetChange | None = None
    moved: bool = False
    accept_drop: bool = False
    confirmed: int = 0


def tolerance(count: int) -> int:
    """How many of `count` seats may end if no count vouches: a tenth, at least two, so that small teams can shrink."""
    return max(ALWAYS, int(count * SHARE))


def check_not_empty(listing: ListingFigures) -> None:
    """Raises ProtocolError for an empty list from a vendor that counts accounts, or if no record can be read."""
    if not listing.listed and listing.set_aside:
        raise base.ProtocolError(
            f"None of the {listing.set_aside:,} listed accounts could be read.",
            remedy="Nothing was changed. Report the records in the warnings: the vendor's format may have changed.",
        )
    if not listing.listed and not listing.set_aside and listing.provisioned:
        raise base.ProtocolError(
            f"The vendor listed no account at all, although it counts {listing.provisioned:,}.",
            remedy="Nothing was changed. The next run tries again. If the list stays empty, check the authorizing "
            "admin's role and the app's scopes, then report it to the vendor.",
        )


def why_nothing_ends(listing: ListingFigures) -> str:
    """Why all endings of this run are withheld; an empty text if they may happen."""
    if not listing.ending:
        return ""
    if listing.unreadable:
        return (
            f"{listing.unreadable:,} of {listing.listed + listing.set_aside:,} listed accounts have no readable id, so "
            f"any of the {listing.ending:,} subscriptions missing from the list may be one of them. {READ}"
        )
    if not listing.listed and not (listing.accept_drop and listing.provisioned == 0):
        return f"The vendor listed no account, and all {listing.ending:,} current subscriptions would end. {CONFIRM}"
    if listing.accept_drop:
        return _more_than_confirmed(listing)
    if listing.moved:
        return (
            f"This profile was moved to another team. {listing.ending:,} of {listing.current:,} current subscriptions "
            f"are not in the list of that team. {CONFIRM}"
        )
    if listing.change:
        return _unconfirmed_by_count(listing, listing.change)
    return _too_many(listing) or _too_few(listing)


def _more_than_confirmed(listing: ListingFigures) -> str:
    if listing.ending <= listing.confirmed + close_tolerance(listing.current):
        return ""
    return f"{listing.ending:,} subscriptions are missing now, but only {listing.confirmed:,} were confirmed. {CONFIRM}"


def _unconfirmed_by_count(listing: ListingFigures, change: NetChange) -> str:
    """Half of the seats never ends unasked, even if the count agrees: both may come from one broken source."""
    missing = f"{listing.ending:,} of {listing.current:,} current subscriptions are missing from the vendor's list"
    if change.is_short:
        return f"{missing}. {change.describe()} {CONFIRM}"
    if listing.ending > ALWAYS and 2 * listing.ending >= listing.current:
        return f"{missing}, and the vendor's own count fell with it. So many only end with a confirmation. {CONFIRM}"
    return ""


def _too_many(listing: ListingFigures) -> str:
    if listing.ending <= tolerance(listing.current):
        return ""
    return (
        f"{listing.ending:,} of {listing.current:,} current subscriptions are missing from the vendor's list, more "
        f"than the {tolerance(listing.current):,} that may end without a confirmation. {CONFIRM}"
    )


def describe_shortness(listing: ListingFigures) -> str:
    """What is wrong with a list that is shorter than the vendor's own count allows; empty if it is not."""
    if listing.change:
        return listing.change.describe() if listing.change.is_short else ""
    if not _is_short(listing):
        return ""
    return f"The vendor counts {listing.provisioned:,} accounts but listed {listing.listed + listing.set_aside:,}."


def _is_short(listing: ListingFigures) -> bool:
    """Whether fewer accounts are listed than the vendor itself counts, by more than the tolerance.

    All accounts that are not removed are compared, whether or not they use a license, because the vendor counts
    accounts. A list that is longer than the count is normal: the count may omit suspended accounts.
    """
    if listing.provisioned is None:
        return False
    return listing.listed + listing.set_aside < listing.provisioned - tolerance(listing.provisioned)


def _too_few(listing: ListingFigures) -> str:
    if not _is_short(listing):
        return ""
    return (
        f"The vendor listed {listing.listed + listing.set_aside:,} accounts but counts {listing.provisioned:,}, and "
        f"{listing.ending:,} current subscriptions are missing from the list. {CONFIRM}"
    )
