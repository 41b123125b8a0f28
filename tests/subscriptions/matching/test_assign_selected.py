"""Several subscriptions of one owner are given to that person together, and what is ticked is what a file has."""

from __future__ import annotations

from typing import Any

import pytest

from samsaas.models import AuditEntry
from subscriptions.models import Match
from tests import factories, pages
from tests.subscriptions.matching.test_match_selected import LIST, UNDO, seat

pytestmark = pytest.mark.django_db
ASSIGN = f"{LIST}assign-selected/"


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def name(client: Any, page: Any, who: str) -> Any:
    """Send the form of a page as it stands, with this text."""
    person = page.context.get("person")
    fields = {"selection": page.context["token"], "seen": page.context["found"].seen, "who": who}
    return client.post(ASSIGN, fields | {"shown": person.pk if person else ""}, follow=True)


def test_robots_of_one_owner_get_their_user_after_the_person_was_shown_and_it_can_be_undone(keeper: Any) -> None:
    owner = factories.person("ann@one.example", name="Ann Owner")
    robots = [seat(f"robot{number}@one.example") for number in range(3)]
    page = pages.tick(keeper, LIST, "assign", robots[:2])
    assert "All 2 can be assigned" in pages.text_of(page.content.decode())
    shown = name(keeper, page, " ann@one.example ")
    assert "Ann Owner" in pages.text_of(shown.content.decode()) and not Match.objects.exists(), "a look does nothing"
    done = name(keeper, shown, "ann@one.example")
    assert "2 subscriptions were assigned to Ann Owner." in pages.text_of(done.content.decode())
    assert set(Match.objects.filter(person=owner, by=keeper.user).values_list("pk", flat=True)) == {
        one.pk for one in robots[:2]
    }
    assert AuditEntry.objects.filter(verb="matched by hand").count() == 2
    said = pages.text_of(keeper.post(UNDO, follow=True).content.decode())
    assert "2 matches were undone." in said and not Match.objects.exists()


def test_another_person_than_the_page_showed_is_shown_first(keeper: Any) -> None:
    factories.person("ann@one.example", name="Ann")
    factories.person("bob@one.example", name="Bob")
    shown = name(keeper, pages.tick(keeper, LIST, "assign", [seat("robot@one.example")]), "ann@one.example")
    again = name(keeper, shown, "bob@one.example")
    assert again.context["person"].name == "Bob" and not Match.objects.exists()
    nobody = name(keeper, shown, "nobody@one.example")
    assert "Nobody in the directory has" in nobody.content.decode() and not Match.objects.exists()


def test_a_reader_may_not_assign(signed_in: Any) -> None:
    reader = signed_in("sam_user")
    assert reader.get(ASSIGN).status_code == reader.post(ASSIGN).status_code == 403


def test_a_file_of_the_ticked_rows_has_these_only(keeper: Any) -> None:
    robots = [seat(f"robot{number}@one.example", display_name=f"Robot {number}") for number in range(3)]
    answer = pages.tick(keeper, LIST, "csv", robots[1:])
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and "Robot 1" in lines[1] and "Robot 2" in lines[2]
