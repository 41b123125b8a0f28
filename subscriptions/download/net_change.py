"""Compare a listing with the last accepted one: did the list shrink by more than the vendor's own count did?

What a vendor's count includes is not documented. It may leave out suspended accounts, for example, so list and count
need not be equal. But they change together: a list that ends early is shorter while the count stays where it was.

Where the count once was exactly that of the listed accounts without those of some status, these are left out of the
comparison from then on. The count says nothing about them, so those that vanish are unconfirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from subscriptions.models import AcceptedListing, Subscription

ALWAYS = 2
SHARE = 0.005

# What a count may leave out, the most likely first.
OMISSIONS: tuple[tuple[str, ...], ...] = (
    (),
    (Subscription.Status.SUSPENDED.value,),
    (Subscription.Status.INVITED.value,),
    (Subscription.Status.INVITED.value, Subscription.Status.SUSPENDED.value),
)


@dataclass(frozen=True, kw_only=True)
class ListingTally:
    """A whole listing and the counts beside it.

    - `by_status`: readable accounts that are not removed. `unread`: records that could not be read, listed as well.
    - `ending_by_status`: the seats that are no longer listed, by their last known status.
    - `counts`: the vendor's own count before and after the listing, since accounts join and leave meanwhile. Empty if
      the vendor did not count; it never counts none where it lists somebody.
    - `removed_by_us`: accounts that we removed since the last accepted listing. The vendor's count may include them, or
      some of them, for a while.
    """

    by_status: Mapping[str, int]
    unread: int = 0
    ending_by_status: Mapping[str, int] = field(default_factory=dict)
    counts: tuple[int, ...] = ()
    removed_by_us: int = 0

    @property
    def listed(self) -> int:
        return self.count_without(())

    def count_without(self, omitted: Iterable[str]) -> int:
        """How many accounts are listed, apart from those in the `omitted` statuses."""
        return sum(self.by_status.values()) + self.unread - sum(self.by_status.get(status, 0) for status in omitted)


@dataclass(frozen=True, kw_only=True)
class NetChange:
    """How list and count changed since the last accepted listing.

    `unconfirmed` accounts are missing from the list though the count does not confirm that, since both last agreed.
    """

    last: AcceptedListing
    listed: int
    counted: int
    unconfirmed: int

    @property
    def tolerance(self) -> int:
        return close_tolerance(self.last.listed)

    @property
    def is_short(self) -> bool:
        return self.unconfirmed > self.tolerance

    def describe(self) -> str:
        """The four numbers and what is wrong with them, as a sentence."""
        return (
            f"Since the last accepted listing of {self.last.at:%-d %b %Y} the list went from {self.last.listed:,} to "
            f"{self.listed:,} accounts, and the vendor’s own count from {self.last.counted:,} to {self.counted:,}. The "
            f"count does not confirm that {self.unconfirmed:,} accounts are gone; up to {self.tolerance:,} would pass."
        )


def close_tolerance(count: int) -> int:
    """How many of `count` accounts may be missing without a confirmation by the vendor's count."""
    return max(ALWAYS, int(count * SHARE))


def compare(last: AcceptedListing | None, now: ListingTally) -> NetChange | None:
    """The net change since the last accepted listing of the same team; None if the vendor did not count both times."""
    if last is None or not last.counted or not now.counts:
        return None
    omitted = last.left_out.split()
    uncounted = sum(now.ending_by_status.get(status, 0) for status in omitted)
    ending = sum(now.ending_by_status.values()) - uncounted
    missing = _missing(now, now.count_without(omitted) - last.surplus, ending)
    return NetChange(last=last, listed=now.listed, counted=now.counts[-1], unconfirmed=missing + uncounted)


def _missing(now: ListingTally, expected: int, ending: int) -> int:
    """How many accounts the count has and the list does not, apart from those that we removed.

    `expected` is the count that would agree with the list. What the count has beyond it are first the `ending` seats,
    whom nobody but the list calls gone, and only then those that we removed. Otherwise a count that knows our removals
    would excuse as many living accounts once more.
    """
    beyond = max(0, min(now.counts) - expected)
    return max(min(beyond, ending), beyond - now.removed_by_us)


def accepted_values(last: AcceptedListing | None, now: ListingTally, *, confirmed: bool) -> dict[str, Any] | None:
    """What to store of an accepted listing; None if the last one stays what the next one is compared with.

    That is so if the vendor did not count this time, or if the list is too short although no seat ends by it: a count
    that errs once must not hide a short list of tomorrow. A person's confirmation always begins anew.
    """
    if not now.counts:
        return None if last and last.counted else {"listed": now.listed, "counted": None, "left_out": "", "surplus": 0}
    change = None if confirmed else compare(last, now)
    if change and change.is_short:
        return None
    omitted, surplus = _agreement(change, now)
    return {"listed": now.listed, "counted": now.counts[-1], "left_out": " ".join(omitted), "surplus": surplus}


def _agreement(change: NetChange | None, now: ListingTally) -> tuple[Iterable[str], int]:
    """What the count leaves out, and by how much the list is longer than it. Zero if they agree exactly."""
    before = change.last.left_out.split() if change else []
    for omitted in OMISSIONS:
        may_switch = change is None or not change.unconfirmed or list(omitted) == before
        if may_switch and now.count_without(omitted) in now.counts:
            return omitted, 0
    listed = now.count_without(before)
    if change is None:
        return before, listed - now.counts[-1]
    return before, max(change.last.surplus, listed - max(now.counts))
