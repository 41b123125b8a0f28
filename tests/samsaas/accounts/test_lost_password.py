"""A lost password is set anew by mail, and asking for it tells nobody which accounts exist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from samsaas import purge_expired, schedule
from samsaas.models import AuditEntry, Mail, PasswordResetRequest
from tests.samsaas.accounts.mailbox import newest_link
from tests.samsaas.sign_in_world import PASSWORD, is_signed_in, try_to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ADDRESS, CHOSEN = "ann@example.com", "nine purple herons 44"


@pytest.fixture
def ann(account: Any) -> User:
    made: User = account("sam_user", username="ann", email=ADDRESS)
    return made


def ask(email: str = ADDRESS) -> Any:
    return Client().post("/accounts/lost-password/", {"email": email})


def follow(link: str, password: str = CHOSEN) -> Any:
    """Open the link, and set a password on its page."""
    client = Client()
    client.get(link)
    return client.post(link, {"new_password1": password, "new_password2": password})


def test_from_asking_to_the_new_password(ann: User, client: Client) -> None:
    try_to(client)
    assert ask()["Location"] == "/accounts/lost-password/sent/"
    schedule.send_mails()
    link = newest_link(ADDRESS)
    assert follow(link)["Location"] == "/accounts/login/"
    assert not is_signed_in(client), "sessions from before are over"
    assert not is_signed_in(Client())
    try_to(client, password=CHOSEN)
    assert is_signed_in(client)
    assert AuditEntry.objects.get(verb="set password by link").actor_name == "ann"
    assert b"not valid any more" in follow(link, "another one entirely 9").content
    assert User.objects.get(pk=ann.pk).check_password(CHOSEN)


def test_known_and_unknown_addresses_get_the_same_answer_with_the_same_work(ann: User, account: Any) -> None:
    account("sam_user", username="off", email="off@example.com", is_active=False)
    seen = []
    for email in (ADDRESS, "off@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email)
        seen.append((answer.status_code, answer["Location"], [query["sql"].split(" ")[0] for query in queries]))
    assert len({str(one[:2]) for one in seen}) == 1 and len({str(one[2]) for one in seen[1:]}) == 1
    schedule.send_mails()
    assert list(Mail.objects.values_list("to", flat=True)) == [ADDRESS]


def test_who_is_signed_in_by_another_service_gets_no_link(account: Any) -> None:
    account("sam_user", username="sso", email="sso@example.com").set_unusable_password()
    User.objects.filter(username="sso").update(password="!")
    ask("sso@example.com")
    schedule.send_mails()
    assert not Mail.objects.exists()


def test_nobody_fills_a_mailbox(ann: User) -> None:
    for _ in range(5):
        ask()
    schedule.send_mails()
    ask("ANN@example.com")
    schedule.send_mails()
    assert Mail.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        ask()
        schedule.send_mails()
    assert Mail.objects.count() == 2


def test_a_link_ends_after_an_hour_with_a_sign_in_and_with_another_password(ann: User) -> None:
    def fresh() -> str:
        PasswordResetRequest.objects.all().delete()
        ask()
        schedule.send_mails()
        return newest_link(ADDRESS)

    old = fresh()
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert b"not valid any more" in follow(old).content
    used = fresh()
    try_to(Client())
    assert b"not valid any more" in follow(used).content
    changed = fresh()
    ann.set_password("quite another phrase 71")
    ann.save()
    assert b"not valid any more" in follow(changed).content


def test_a_link_of_one_account_opens_no_other_and_cannot_be_altered(ann: User, account: Any) -> None:
    account("admin", username="root", email="root@example.com")
    ask()
    schedule.send_mails()
    link = newest_link(ADDRESS)
    last = link[-2]
    assert b"not valid any more" in follow(f"{link[:-2]}{'A' if last != 'A' else 'B'}/").content
    assert follow(link).status_code == 302
    assert User.objects.get(username="root").check_password(PASSWORD)


def test_a_newer_link_ends_the_former_and_a_deactivated_account_has_none(ann: User) -> None:
    from samsaas.accounts import reset_password  # noqa: PLC0415

    links = []
    for _ in range(2):
        reset_password.send_link(ann, now=timezone.now())
        links.append(newest_link(ADDRESS))
    assert follow(links[0]).status_code == 404
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert follow(links[1]).status_code == 404


def test_a_link_in_a_mailbox_that_was_given_up_opens_nothing(ann: User) -> None:
    ask()
    schedule.send_mails()
    link = newest_link(ADDRESS)
    User.objects.filter(pk=ann.pk).update(email="ann@elsewhere.example")
    assert follow(link).status_code == 404


def test_links_need_no_key_that_only_the_web_processes_have(ann: User) -> None:
    ask()
    with override_settings(SECRET_KEY=""):
        schedule.send_mails()
    assert follow(newest_link(ADDRESS))["Location"] == "/accounts/login/"


@pytest.mark.parametrize("token", ["x", "A" * 43, "9" * 1900, "%ff", "é" * 43])
def test_nonsense_is_no_link(token: str) -> None:
    assert Client().get(f"/accounts/new-password/{token}/").status_code in (400, 404)


def test_an_administrator_sends_a_link_and_never_sees_a_password(ann: User, signed_in: Any) -> None:
    admin = signed_in("admin")
    admin.post(f"/accounts/{ann.pk}/password-link/")
    assert AuditEntry.objects.get(verb="sent password link").object_name == "ann"
    assert follow(newest_link(ADDRESS))["Location"] == "/accounts/login/"


def test_requests_and_links_that_were_kept_are_purged(ann: User) -> None:
    ask()
    schedule.send_mails()
    assert Mail.objects.get().kept and Mail.objects.get().secret
    purge_expired.run(timezone.now() + timedelta(days=2))
    assert not PasswordResetRequest.objects.exists() and not Mail.objects.get().secret
