"""The band of the evidence: what of the threshold was read, and where the last use stands in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reclamation import evidence_band
from reclamation.models import RemovalCandidate

pytestmark = pytest.mark.one_database

OPENED = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def band(**known: Any) -> evidence_band.EvidenceBand:
    """Of a threshold of 60 days. Numbers are days before the opening."""
    moments = {
        name: (OPENED - timedelta(days=days)).isoformat() if isinstance(days, int) else days
        for name, days in known.items()
        if name != "covered"
    }
    evidence = {"threshold_days": 60, "covered": known.get("covered", True), **moments}
    return evidence_band.draw(RemovalCandidate(evidence=evidence, opened_at=OPENED))


@pytest.mark.parametrize(
    ("known", "parts"),
    [
        ({"covered_since": 90, "last_activity": 80}, [("Read", "0.000", "100.000")]),
        ({"covered_since": 45, "last_activity": None}, [("Not read", "0.000", "25.000"), ("Read", "25.000", "75.000")]),
        (
            {"covered_since": 90, "covered_until": 6, "last_activity": 70},
            [("Read", "0.000", "90.000"), ("Not read yet", "90.000", "10.000")],
        ),
        ({"covered": False, "covered_since": None, "last_activity": None}, [("Not read", "0.000", "100.000")]),
        (
            {"covered_since": 90, "last_activity": 30},
            [("Read", "0.000", "100.000"), ("Last use", "49.500", "1.000")],
        ),
    ],
)
def test_it_shows_what_was_read_and_what_was_not(known: dict[str, Any], parts: list[tuple[str, str, str]]) -> None:
    assert [(one.label, one.start, one.width) for one in band(**known).stretches] == parts


def test_its_words_say_the_same() -> None:
    words = band(covered_since=45, last_activity=50).words
    assert words == "Not read 1 Oct 2026 to 16 Oct 2026, read 16 Oct 2026 to 30 Nov 2026. Last use 11 Oct 2026."


def test_evidence_of_earlier_versions_has_a_band_too() -> None:
    drawn = evidence_band.draw(RemovalCandidate(evidence={"covered": False, "last_activity": None}, opened_at=OPENED))
    assert (OPENED - drawn.since).days == evidence_band.USUAL_DAYS
