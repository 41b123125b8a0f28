"""Many subscriptions without user are matched with whoever has their address, after a page with figures, and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from samsaas.models import AuditEntry
from subscriptions.matching import match_selected
from subscriptions.models import Match, SeatsChanged, Subscription
from tests import factories, pages

pytestmark = pytest.mark.django_db
LIST = "/subscriptions-without-user/"
SELECT, MATCH, UNDO = f"{LIST}select/", f"{LIST}match-selected/", f"{LIST}match-selected/undo/"


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def seat(address: str, **fields: Any) -> Subscription:
    return factories.subscription(**{"display_name": "Somebody Else", "email": address, **fields})


def select_all(client: Any, query: str = "") -> str:
    """Select all of a filter and press *Match by address*; gives the address of the page that asks."""
    client.post(SELECT, {"do": "all", "selection": "selection-1", "place": query})
    answer = client.post(SELECT, {"do": "match", "selection": "selection-1", "place": query, "shown": ""})
    assert answer.status_code == 303, answer.content
    return str(answer["Location"])


def confirm(client: Any, page: Any) -> Any:
    fields = {"selection": page.context["token"], "seen": page.context["found"].seen}
    return client.post(MATCH, fields, follow=True)


@pytest.fixture
def six() -> dict[str, Subscription]:
    """Two that can be matched, and one for every reason why not."""
    factories.person("ann@one.example", name="Ann")
    factories.person("bob@one.example", name="Bob")
    factories.person("two@one.example", name="One of two")
    factories.person("two@one.example", name="Other of two")
    gone = timezone.localdate() - timedelta(days=9)
    factories.person("gone@one.example", name="Gone", left_on=gone)
    held = factories.person("held@one.example", name="Holds one")
    own = seat("first@one.example")
    factories.match(own, held)
    return {
        "ann": seat("ANN@one.example", email_verified=True),
        "bob": seat("bob@one.example", email_verified=False),
        "two": seat("two@one.example"),
        "gone": seat("gone@one.example"),
        "none": seat(""),
        "held": seat("held@one.example", profile=own.profile),
    }


def test_all_of_a_filter_are_matched_after_a_page_that_says_which_and_why_not_the_others(
    keeper: Any, six: dict[str, Subscription]
) -> None:
    page = keeper.get(select_all(keeper))
    text = pages.text_of(page.content.decode())
    assert "2 of 6 can be matched with the one person who has the address" in text
    for reason in (
        "1 has an address of nobody who is here",
        "1 has no address",
        "1 has an address of several people",
        "1 belongs to somebody with a subscription there",
        "has verified 1 of these addresses",
    ):
        assert reason in text, reason
    assert "Ann" in text and "(not verified)" in text and "Bob" in text and "Holds one" not in text
    assert not Match.objects.filter(subscription__in=[six["ann"], six["bob"]]).exists(), "the page does nothing"
    done = pages.text_of(confirm(keeper, page).content.decode())
    assert "2 subscriptions were matched." in done
    made = {match.person.name: match for match in Match.objects.filter(subscription__in=six.values())}
    assert set(made) == {"Ann", "Bob"} and all(one.by_hand and one.by == keeper.user for one in made.values())
    entries = AuditEntry.objects.filter(verb="matched by hand")
    assert {entry.detail["person"] for entry in entries} == {"Ann", "Bob"}
    assert SeatsChanged.objects.filter(profile=six["ann"].profile).exists(), "the figures are counted again"


def test_the_matches_can_be_undone_but_for_those_that_somebody_changed(
    keeper: Any, six: dict[str, Subscription]
) -> None:
    page = keeper.get(select_all(keeper))
    assert "Undo the matches" in confirm(keeper, page).content.decode()
    other = factories.person(name="Other")
    Match.objects.filter(subscription=six["bob"]).update(person=other, at=timezone.now() + timedelta(minutes=1))
    said = pages.text_of(keeper.post(UNDO, follow=True).content.decode())
    assert "1 match was undone." in said and "1 match stayed: changed in the meantime." in said
    assert list(Match.objects.filter(subscription__in=six.values()).values_list("person__name", flat=True)) == ["Other"]
    assert AuditEntry.objects.filter(verb="removed match").count() == 1
    assert "no matches to undo" in pages.text_of(keeper.post(UNDO, follow=True).content.decode())


def test_only_those_whose_address_the_vendor_has_not_verified_are_a_filter_away(
    keeper: Any, six: dict[str, Subscription]
) -> None:
    assert pages.rows_behind(keeper, f"{LIST}?address=unverified") == 1
    assert pages.rows_behind(keeper, f"{LIST}?address=verified") == 1
    page = keeper.get(select_all(keeper, "address=unverified"))
    confirm(keeper, page)
    assert [match.person.name for match in Match.objects.filter(subscription__in=six.values())] == ["Bob"]


def test_other_rows_than_the_page_showed_are_asked_about_again(keeper: Any, six: dict[str, Subscription]) -> None:
    page = keeper.get(select_all(keeper))
    six["bob"].delete()
    again = confirm(keeper, page)
    assert (
        "1 fewer matches now" in again.content.decode() and not Match.objects.filter(subscription=six["ann"]).exists()
    )


def test_a_seat_that_got_its_user_meanwhile_keeps_it(keeper: Any, six: dict[str, Subscription]) -> None:
    factories.match(six["ann"], factories.person(name="Quicker"))
    keys = [six["ann"].pk, six["bob"].pk]
    now = timezone.now()
    assert match_selected.run(keys, by=keeper.user, now=now, today=timezone.localdate()) == [six["bob"].pk]
    assert Match.objects.get(subscription=six["ann"]).person.name == "Quicker"


def test_where_none_can_be_matched_the_list_says_why(keeper: Any) -> None:
    seat("nobody@one.example")
    said = pages.text_of(keeper.get(select_all(keeper), follow=True).content.decode())
    assert "None of 1 can be matched" in said and "Select others." in said


def test_readers_see_no_tick_boxes_and_may_not_match(signed_in: Any, six: dict[str, Subscription]) -> None:
    reader = signed_in("sam_user")
    assert "data-tick" not in reader.get(LIST).content.decode()
    assert reader.post(SELECT).status_code == reader.get(MATCH).status_code == reader.post(UNDO).status_code == 403


def test_a_hundred_seats_take_as_many_statements_as_one(keeper: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(100):
        factories.person(f"many{number}@one.example")
    shared = factories.profile()
    keys = [seat(f"many{number}@one.example", profile=shared).pk for number in range(100)]
    with django_assert_max_num_queries(16):
        done = match_selected.run(keys, by=keeper.user, now=timezone.now(), today=timezone.localdate())
    assert done == keys
