"""When the queue of moves ends: told on the page of removals and before *Move files now*, with a warning in time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reclamation.models import ReclamationRule, RemovalAttempt
from tests.reclamation.removal.place import attempt_of

NAMES = ("amy", "bea", "cem", "dan")
LIST = "/removals/"


def page(client: Any, address: str = LIST) -> str:
    return " ".join(re.sub("<[^>]+>", "", client.get(address).content.decode()).split())


def remove(place: Any, ann: Any, *names: str) -> list[Any]:
    candidates = [place.candidate(name) for name in names]
    place.reclaim(*candidates, by=ann)
    place.work()
    return candidates


def let_moves_take(place: Any, ann: Any, time: Any, **each: float) -> None:
    """One move of the team is over; it took so long."""
    (candidate,) = remove(place, ann, "before")
    RemovalAttempt.objects.filter(candidate=candidate).update(move_after=None)
    attempt = attempt_of(candidate)
    attempt.moved_at = attempt.withdrawn_at
    changes = {"move_called_at": attempt.moved_at - timedelta(**each), "closed_at": attempt.moved_at, "state": "closed"}
    RemovalAttempt.objects.filter(pk=attempt.pk).update(moved_at=attempt.moved_at, moved_by="event", **changes)


def test_nobody_waits_and_nothing_is_said(place: Any, signed_in: Any) -> None:
    assert "wait for their move" not in page(signed_in("sam_user"))


def test_the_page_says_how_many_wait_and_about_when_the_last_move_is_over(
    place: Any, ann: Any, signed_in: Any, time: Any
) -> None:
    """Reclaimed on 10 March with seven days of undo; without any measured move each takes a quarter of an hour."""
    remove(place, ann, *NAMES)
    said = page(signed_in("sam_user"))
    assert "In Team the files of 4 removed members wait for their move" in said
    assert "The last is over about 17 Mar 2027." in said and "too long" not in said


@pytest.mark.parametrize(
    ("days", "until", "warned"),
    [(20, "5 Jun 2027", False), (35, "4 Aug 2027", False), (36, "8 Aug 2027", True), (60, "12 Nov 2027", True)],
)
def test_the_measured_pace_counts_and_more_than_150_days_are_warned_of(
    place: Any, ann: Any, signed_in: Any, time: Any, days: int, until: str, warned: bool
) -> None:
    """Four members one after the other, from 17 March on, and the last of them was removed on 10 March."""
    let_moves_take(place, ann, time, days=days)
    remove(place, ann, *NAMES)
    said = page(signed_in("sam_user"))
    assert f"The last is over about {until}" in said
    assert ("Files wait too long" in said) == warned == ("more than 150 days after its removal" in said)


def test_files_that_go_to_two_accounts_have_two_queues(place: Any, ann: Any, signed_in: Any, time: Any) -> None:
    let_moves_take(place, ann, time, days=30)
    some = remove(place, ann, *NAMES)
    client = signed_in("sam_admin")
    address = f"/removals/{attempt_of(some[0]).pk}/move/"
    assert "15 Jul 2027" in page(client, address)
    place.team.add("dbmid:heir")
    RemovalAttempt.objects.filter(candidate__in=some[2:]).update(destination_external_id="dbmid:heir")
    said = page(client, address)
    assert "4 removed members wait" in said and "16 May 2027" in said


def test_each_team_has_a_line_and_its_managers_are_told_apart_at_equal_cost(
    make_place: Any, ann: Any, signed_in: Any, django_assert_num_queries: Any
) -> None:
    client = signed_in("sam_user")
    first = make_place(destination="manager")
    remove(first, ann, "amy")
    client.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as one:
        assert page(client).count("wait for their move") == 1
    remove(first, ann, "bea", "cem")
    assert ReclamationRule.objects.update(name="Renamed") == 1
    with django_assert_num_queries(len(one)):
        assert page(client).count("wait for their move") == 1
