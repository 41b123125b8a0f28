"""The corpus of addresses that look alike, all in one directory and one list: nobody gets somebody else's person."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import JobRun
from subscriptions.models import Match, normalize_address
from subscriptions.rematch import MATCH
from tests import factories, worlds
from tests.subscriptions.matching.test_match_people import CORPUS

pytestmark = [pytest.mark.fault, pytest.mark.django_db]


def test_no_seat_of_the_whole_corpus_finds_a_person_it_must_not(measured: Any) -> None:
    profile, kind = factories.profile(refreshed_at=timezone.now()), factories.identifier()
    directory = {
        address: factories.person(address) for address in {normalize_address(row[0]) for row in CORPUS.values()}
    }
    expected = {}
    for stored, given, verified, match in CORPUS.values():
        seat = factories.subscription(profile=profile, identifier=kind, email=given, email_verified=verified)
        if match:
            expected[seat.pk] = directory[normalize_address(stored)].pk
    run, _ = queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=profile))
    worlds.work()
    found = dict(Match.objects.values_list("subscription", "person"))
    false = [seat for seat, person in found.items() if expected.get(seat) != person]
    injected = (
        f"{len(CORPUS)} addresses against {len(directory)} people: case twins, `ı`, `ﬁ`, null, unverified, jokers"
    )
    measured("F52", injected, "false matches", len(false))
    measured("F52", injected, "matches missed", len(expected.keys() - found.keys()))
