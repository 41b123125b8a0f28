"""With the demo's directory most subscriptions find their person, and some do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from samsaas.demo import people as demo_people
from subscriptions.models import Match, Person, Subscription
from tests import worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_most_seats_of_the_demo_find_their_person_and_some_do_not(connected: Any, dropbox: Any) -> None:
    made = demo_people.create_people(dropbox.teams.values())
    assert made == Person.objects.count() > 250
    worlds.work_on()
    seats = Subscription.objects.current()
    matched = seats.filter(match__isnull=False).count()
    assert 0.7 < matched / seats.count() < 0.95
    assert Match.objects.filter(person__left_on__isnull=False).exists(), "a leaver still holds a seat"
    left = {one.first_day - timedelta(days=54) for one in dropbox.teams.values()}
    assert set(Person.objects.exclude(left_on=None).values_list("left_on", flat=True)) == left


def test_a_directory_that_is_there_is_left_alone(dropbox: Any) -> None:
    Person.objects.create(key="1", name="Somebody real")
    assert demo_people.create_people(dropbox.teams.values()) == 0 and Person.objects.count() == 1
