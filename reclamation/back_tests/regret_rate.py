"""Regret: the share of proposals that were wrong, with what chance makes of small numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.96  # of the normal distribution: the true share lies within in 95 of 100 cases
FEWEST = 10
TO_BEAT = 0.10  # about 20 of 200 people removed in a real clean-up asked to be added back
TOO_FEW = "too few to say"


def wilson_interval(back: int, counted: int) -> tuple[float, float]:
    """Wilson's 95 % interval of the share `back` of `counted`. Raises ValueError for numbers that make no share."""
    if not 0 <= back <= counted or not counted:
        raise ValueError("A share needs at least one that was counted, and no more of them.")
    p, n = back / counted, counted
    middle, width = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = ((middle - width) / (1 + Z * Z / n), (middle + width) / (1 + Z * Z / n))
    return (max(0.0, low) if back else 0.0), (min(1.0, high) if back < counted else 1.0)


@dataclass(frozen=True)
class RegretRate:
    """`back` of `counted` were wrong."""

    back: int
    counted: int

    @property
    def is_few(self) -> bool:
        return self.counted < FEWEST

    @property
    def share(self) -> float | None:
        return self.back / self.counted if self.counted else None

    @property
    def percent(self) -> str:
        """The share on pages; that there are too few where it would say nothing."""
        return TOO_FEW if self.is_few else as_percent(self.back / self.counted)

    @property
    def interval(self) -> str:
        """Wilson's interval in words; empty where there are too few."""
        if self.is_few:
            return ""
        low, high = wilson_interval(self.back, self.counted)
        return f"{as_percent(low)} to {as_percent(high)}"


def as_percent(share: float) -> str:
    """A share as pages show it."""
    return f"{100 * share:.1f} %"
