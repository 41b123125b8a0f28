"""Guessing passwords at the real door: from many addresses, at many names, at once, and in a session that was taken."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from samsaas import guessing
from samsaas.lib.client_address import network_of
from samsaas.models import GuessCount
from tests import pages
from tests.samsaas.sign_in_world import PASSWORD, guess, is_signed_in, try_to

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


# --- where a guess comes from ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002::", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_addresses_that_one_visitor_can_choose_from_are_one_place(address: str, network: str) -> None:
    assert network_of(address) == network


def test_another_address_of_the_same_ipv6_network_is_not_another_count(ann: Any) -> None:
    codes = [guess(at(f"2001:db8::{number:x}"), 1)[0] for number in range(1, 6)]
    assert codes == [200] * 4 + [429]
    assert try_to(at("2001:db8::ffff:1")).status_code == 429
    assert try_to(at("2001:db8:0:1::1")).status_code == 302, "another subscriber's network"


def test_an_ipv4_address_written_as_ipv6_is_not_another_count(ann: Any) -> None:
    guess(at("192.0.2.1"), 4)
    assert guess(at("::ffff:192.0.2.1"), 1) == [429]


def test_one_password_at_many_names_is_stopped_too(ann: Any) -> None:
    """Password spraying: no name is tried twice."""
    spraying = [guess(at(f"2001:db8::{number:x}"), 1, f"user{number}")[0] for number in range(30)]
    assert spraying == [200] * 29 + [429]
    assert try_to(at("2001:db8::1")).status_code == 429, "the right password does not open it"
    assert try_to(at("192.0.2.7")).status_code == 302, "others are not kept out"


def test_signing_in_to_an_own_account_does_not_wash_a_place_clean(ann: Any, account: Any) -> None:
    account("sam_user", username="mallory")
    codes = []
    for number in range(29):
        codes += guess(at("192.0.2.1"), 1, f"user{number}")
        if number % 4 == 0:
            assert try_to(at("192.0.2.1"), "mallory").status_code == 302
    assert codes == [200] * 29
    assert guess(at("192.0.2.1"), 1, "one more") == [429]


# --- one name from everywhere -----------------------------------------------------------------------------------------


def from_everywhere(times: int, username: str = "ann", *, first: int = 1) -> list[int]:
    """A botnet: every guess from an address of its own."""
    return [
        guess(at(f"198.51.{number // 250}.{number % 250}"), 1, username)[0] for number in range(first, first + times)
    ]


def test_a_botnet_is_slowed_down_more_and_more(ann: Any) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert from_everywhere(20) == [200] * 9 + [429] * 11
        tried = 0
        for minute in range(60):
            clock.shift(60)
            from_everywhere(1, first=100 + minute)
            tried += not last_was_refused()
    assert tried < 25, "guesses in an hour, each from an address of its own"


def last_was_refused() -> bool:
    """Whether the latest attempt was not even counted: its moment is not now."""
    latest = GuessCount.objects.filter(kind=GuessCount.Kind.NAME).order_by("-last_at").first()
    assert latest
    return latest.last_at.timestamp() != datetime.now(tz=UTC).timestamp()


def test_the_owner_is_never_kept_out_for_good(ann: Any) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        from_everywhere(20)
        page = try_to(at("203.0.113.5"))
        assert page.status_code == 429 and int(page["Retry-After"]) <= 300
        assert re.search(r"Wait \d+ (second|minute)", pages.text_of(page.content.decode()))
        clock.shift(int(page["Retry-After"]))
        assert try_to(at("203.0.113.5")).status_code == 302


def test_the_owner_is_not_even_slowed_down_where_they_signed_in_before(ann: Any) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert try_to(at("2001:db8:7::1")).status_code == 302
        clock.shift(timedelta(days=30))
        from_everywhere(20)
        assert try_to(at("203.0.113.5")).status_code == 429
        assert try_to(at("2001:db8:7::abcd")).status_code == 302
        clock.shift(1)
        from_everywhere(20)
        assert guess(at("2001:db8:7::1"), 5)[-1] == 429, "whoever guesses from there is counted there"


@pytest.mark.parametrize("username", ["ann", "nobody", "gone", "a\u202eb", "x" * 150])
def test_every_answer_is_the_same_for_a_name_that_nobody_has(ann: Any, account: Any, username: str) -> None:
    account("sam_user", username="gone", is_active=False)
    with time_machine.travel(NOW, tick=False):
        assert from_everywhere(15, username) == [200] * 9 + [429] * 6
        page = try_to(at("203.0.113.5"), username)
        assert page.status_code == 429 and "Wait 1 second," in pages.text_of(page.content.decode())


def test_a_guess_at_an_unknown_name_costs_as_many_queries(
    ann: Any, django_assert_max_num_queries: Any, client: Client
) -> None:
    def queries(username: str) -> int:
        with django_assert_max_num_queries(60) as told:
            guess(client, 1, username)
        return len(told)

    assert queries("ann") == queries("nobody")


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_no_more_than_the_limit(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attempt is counted before its password is looked at."""
    user = account("sam_user", username="ann")
    looked_at = []
    monkeypatch.setattr(type(user), "check_password", lambda self, raw: looked_at.append(raw) or False)
    start = threading.Barrier(12)

    def attack(number: int) -> None:
        try:
            client = at("192.0.2.1")
            start.wait()
            try_to(client, password=f"wrong {number}")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attack, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(looked_at) <= configured.AXES_FAILURE_LIMIT
    assert GuessCount.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_names_tried_at_once_from_one_place_are_no_more_than_the_limit(ann: Any) -> None:
    now, start, refused = timezone.now(), threading.Barrier(12), []
    for number in range(guessing.MOST_PER_PLACE - 2):
        guessing.begin_sign_in(f"user{number}", "192.0.2.1", now=now)

    def attack(number: int) -> None:
        try:
            start.wait()
            refused.append(guessing.begin_sign_in(f"another {number}", "192.0.2.1", now=now).refused)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attack, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(refused) == [False] * 2 + [True] * 10
    assert GuessCount.objects.count() == 2 * guessing.MOST_PER_PLACE + 1


# --- what strangers leave behind --------------------------------------------------------------------------------------


def test_a_closed_place_stores_nothing_more_whatever_names_it_tries(ann: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        for number in range(guessing.MOST_PER_PLACE):
            guess(at(f"2001:db8::{number:x}"), 1, f"user{number}")
        before = list(GuessCount.objects.order_by("pk").values())
        assert len(before) <= 2 * guessing.MOST_PER_PLACE + 1
        for number in range(40):
            assert guess(at(f"2001:db8::{number:x}"), 1, f"another {number}") == [429]
    assert list(GuessCount.objects.order_by("pk").values()) == before


def test_a_closed_name_stores_nothing_more_wherever_it_is_tried(ann: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        from_everywhere(guessing.FREE_PER_NAME)
        before = list(GuessCount.objects.order_by("pk").values())
        from_everywhere(40, first=1000)
    assert list(GuessCount.objects.order_by("pk").values()) == before


def test_a_closed_session_stores_nothing_more(ann: Any) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(configured.AXES_FAILURE_LIMIT):
            guessing.begin_in_session("key", now=datetime.now(tz=UTC))
        before = list(GuessCount.objects.values())
        clock.shift(60)
        assert guessing.begin_in_session("key", now=datetime.now(tz=UTC)).refused
        assert list(GuessCount.objects.values()) == before


# --- for the operator ------------------------------------------------------------------------------------------------


def test_the_operators_command_opens_the_door_at_once(ann: Any, client: Client) -> None:
    guess(client, 5)
    call_command("axes_reset_username", "ann")
    assert try_to(client).status_code == 302
    guess(at("192.0.2.9"), 5, "bob")
    call_command("axes_reset_ip", "192.0.2.9")
    assert guess(at("192.0.2.9"), 1, "bob") == [200]
    guess(at("192.0.2.9"), 4, "bob")
    call_command("axes_reset")
    assert guess(at("192.0.2.9"), 1, "bob") == [200]


def test_neither_names_nor_addresses_nor_passwords_are_stored(ann: Any, client: Client) -> None:
    """People type their password into the field of the name."""
    guess(client, 2, "my secret passphrase")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM samsaas_guesscount")
        stored = str(cursor.fetchall())
    assert stored.count("pair") == 1 and "passphrase" not in stored and "127.0.0.1" not in stored


def test_old_counts_are_deleted_and_known_places_stay_longer(ann: Any, client: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        try_to(client)
        guess(client, 2, "nobody")
        clock.shift(timedelta(days=2))
        guessing.discard_old(datetime.now(tz=UTC))
        assert set(GuessCount.objects.values_list("kind", flat=True)) == {GuessCount.Kind.KNOWN}
        clock.shift(timedelta(days=90))
        guessing.discard_old(datetime.now(tz=UTC))
        assert not GuessCount.objects.exists()


# --- in a session that somebody took ---------------------------------------------------------------------------------

NEW = "correct horse battery staple"


def change_password(client: Client, old: str) -> Any:
    return client.post("/accounts/password/", {"old_password": old, "new_password1": NEW, "new_password2": NEW})


def test_five_wrong_old_passwords_end_the_session(ann: Any, client: Client) -> None:
    try_to(client)
    for number in range(4):
        assert change_password(client, f"wrong {number}").status_code == 200
    answer = change_password(client, "wrong again")
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    page = pages.text_of(client.get(answer["Location"]).content.decode())
    assert "signed out, because a wrong password was given too often" in page
    assert not is_signed_in(client)
    assert change_password(client, PASSWORD).status_code == 302
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD), "nothing was changed"


def test_a_refused_new_password_is_no_wrong_old_one(ann: Any, client: Client) -> None:
    try_to(client)
    for _ in range(8):
        form = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
        assert client.post("/accounts/password/", form).status_code == 200
    assert change_password(client, PASSWORD).status_code == 302 and is_signed_in(client)


def test_core_ui_has_no_second_door(signed_in: Any) -> None:
    administrator = signed_in("admin")
    for address, leads_to in (("/core/password_change/", "/accounts/password/"), ("/core/login/", "/core/")):
        answer = administrator.post(address, {"old_password": "a long password", "username": "x", "password": "y"})
        assert answer.status_code == 302 and answer["Location"] == leads_to, address
