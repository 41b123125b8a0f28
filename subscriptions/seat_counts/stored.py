"""The stored counts of seats, read for a page. Two queries, however many seats there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from profiles.models import IntegrationProfile
from subscriptions.activity import last_used
from subscriptions.models import SeatCount, SeatCounting
from subscriptions.seat_counts.count import BAND, GAPS, USED


@dataclass
class SeatFigures:
    """The counts by name in all, by profile and by software model (None: unrecognized).

    `counted_at` is the age of the oldest count of a profile. A profile that was never counted is in no count:
    not known, not 0.
    """

    total: Counter[str] = field(default_factory=Counter)
    by_profile: dict[int, Counter[str]] = field(default_factory=dict)
    by_model: dict[int | None, Counter[str]] = field(default_factory=dict)
    counted_at: datetime | None = None

    def of_profile(self, profile: IntegrationProfile) -> Counter[str] | None:
        """The counts of one profile; None where it was never counted."""
        return self.by_profile.get(profile.pk)

    def by_band(self) -> list[dict[str, Any]]:
        """Current seats in every band of last activity, as `last_used.count_by_band` gives them."""
        return [
            last_used.describe_band(key, self.total[BAND + key], self.total[GAPS + key]) for key in last_used.LABELS
        ]

    def used_by_band(self, models: Iterable[int]) -> dict[str, int]:
        """Seats of these software models that count, in every band of last activity; nothing before the first count."""
        if self.counted_at is None:
            return {}
        counts: Counter[str] = sum((self.by_model.get(model, Counter()) for model in models), Counter())
        return {key: counts[USED + key] for key in last_used.LABELS}

    def of_models(self, name: str) -> dict[int | None, int]:
        """One count by software model, where it is not zero."""
        return {model: counts[name] for model, counts in self.by_model.items() if counts[name]}


def read() -> SeatFigures:
    """The stored counts of all profiles."""
    found = SeatFigures()
    for profile, counted_at in SeatCounting.objects.exclude(counted_at=None).values_list("profile", "counted_at"):
        found.by_profile[profile] = Counter()
        found.counted_at = min(filter(None, (found.counted_at, counted_at)))
    rows: Iterable[Any] = SeatCount.objects.order_by().values_list("profile", "identifier__software_model", "counts")
    for profile, model, counts in rows:
        found.total.update(counts)
        found.by_profile.setdefault(profile, Counter()).update(counts)
        found.by_model.setdefault(model, Counter()).update(counts)
    return found
