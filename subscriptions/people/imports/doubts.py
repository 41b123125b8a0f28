"""Why applying a file of people needs a second tick."""

from __future__ import annotations

from subscriptions.models import PersonImport


def most_leavers(active: int) -> int:
    """How many leavers one file may bring without a confirmation."""
    return max(2, active // 10)


def most_lines(lines: int) -> int:
    """How many lines of a fetched file may be refused, or miss a cell, without a person looking at it."""
    return max(2, lines // 10)


def list_doubts(upload: PersonImport) -> list[str]:
    """What a person has to confirm beyond the preview itself; empty if that is nothing."""
    return [*_leaver_doubts(upload), *_seat_doubts(upload)]


def _leaver_doubts(upload: PersonImport) -> list[str]:
    counters = upload.counters
    if not upload.mark_leavers or not counters["leavers"]:
        return []
    found = []
    most = most_leavers(counters["active"])
    if counters["leavers"] > most:
        found.append(f"{counters['leavers']:,} of {counters['active']:,} active people are missing from the file.")
    if counters.get("unsure"):
        found.append("Some refused lines cannot be read well enough to tell whom they list.")
    return found


def _seat_doubts(upload: PersonImport) -> list[str]:
    """Seats that would be taken from somebody who is here. An old preview has no figures."""
    taken = upload.counters.get("seats", {}).get("taken", 0)
    if not taken:
        return []
    if taken == 1:
        return ["1 subscription would be taken from its user."]
    return [f"{taken:,} subscriptions would be taken from their users."]
