"""Administrators manage accounts in the Workspace: find them, change roles, end access and sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from samsaas import purge_expired, roles, sessions
from samsaas.accounts import access, edit
from samsaas.models import AccountSession, AuditEntry
from tests import pages, worlds
from tests.samsaas.sign_in_world import is_signed_in, try_to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def admin(signed_in: Any) -> Client:
    client: Client = signed_in("admin")
    return client


def form_of(user: User, *names: str, **changes: Any) -> dict[str, Any]:
    groups = list(Group.objects.filter(name__in=names).values_list("pk", flat=True))
    return {"first_name": "", "last_name": "", "email": user.email, "groups": groups, **changes}


def shown(client: Client, query: str = "") -> str:
    return pages.text_of(client.get(f"/accounts/{query}").content.decode())


# --- finding ----------------------------------------------------------------------------------------------------------


def test_accounts_are_found_by_name_role_and_state(admin: Client, account: Any) -> None:
    account("sam_user", username="ann", email="ann@example.com", first_name="Ann")
    account("", username="bob", is_active=False)
    account("", username="rootlike", is_superuser=True)
    assert "Ann" in shown(admin) and "bob" in shown(admin)
    for query, wanted in {
        "?q=ann": {"ann"},
        "?q=example.com": {"ann"},
        "?role=sam_user": {"ann"},
        "?role=none": {"bob"},
        "?role=superuser": {"rootlike"},
        "?state=deactivated": {"bob"},
    }.items():
        table = admin.get(f"/accounts/{query}").context["table"]
        assert {row.record.username for row in table.rows} == wanted, query


def test_the_list_costs_the_same_for_one_and_thirty_accounts(admin: Client, account: Any) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get("/accounts/").status_code == 200
        return len(queries)

    count()
    few = count()
    for number in range(30):
        account("sam_user", username=f"user{number}")
    assert count() == few


@pytest.mark.parametrize("path", ["/accounts/", "/accounts/invitations/"])
def test_nonsense_in_the_address_is_no_error(admin: Client, path: str) -> None:
    for query in worlds.nonsense(("q", "role", "state", "sort", "page", "per_page")):
        assert admin.get(f"{path}?{query}").status_code in (200, 400, 414), query


# --- roles ------------------------------------------------------------------------------------------------------------


def test_changed_roles_hold_at_the_next_page_and_leave_an_entry(admin: Client, signed_in: Any) -> None:
    ann = signed_in("sam_user", username="ann")
    assert ann.get("/people/new/").status_code == 403
    admin.post(f"/accounts/{ann.user.pk}/edit/", form_of(ann.user, "sam_admin", first_name="Ann"))
    assert ann.get("/people/new/").status_code == 200
    entry = AuditEntry.objects.get(verb="changed access")
    assert entry.detail["roles"] == {"before": ["sam_user"], "after": ["sam_admin"]}
    assert AuditEntry.objects.get(verb="changed account").detail["first_name"]["after"] == "Ann"


def test_nobody_becomes_superuser_through_this_form(admin: Client, account: Any) -> None:
    ann = account("sam_user", username="ann")
    admin.post(f"/accounts/{ann.pk}/edit/", form_of(ann, "sam_user", is_superuser="on"))
    ann.refresh_from_db()
    assert not ann.is_superuser
    root = account("", username="root", is_superuser=True)
    admin.post(f"/accounts/{root.pk}/edit/", form_of(root, "sam_user"))
    root.refresh_from_db()
    assert not root.is_superuser and roles.roles_of(root) == {"sam_user"}


def test_the_last_administrator_stays(admin: Any) -> None:
    answer = admin.post(f"/accounts/{admin.user.pk}/edit/", form_of(admin.user, "sam_user"))
    assert access.LAST_ADMIN in pages.text_of(answer.content.decode())
    assert roles.ADMIN in roles.roles_of(User.objects.get(pk=admin.user.pk))
    admin.post(f"/accounts/{admin.user.pk}/deactivate/")
    assert User.objects.get(pk=admin.user.pk).is_active and not AuditEntry.objects.filter(verb="changed access")


def test_a_grant_asks_for_the_password_again(admin: Client, account: Any) -> None:
    ann = account("sam_user", username="ann")
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        answer = admin.post(f"/accounts/{ann.pk}/edit/", form_of(ann, "admin"))
    assert "Enter your password again" in answer.content.decode()
    assert roles.roles_of(User.objects.get(pk=ann.pk)) == {"sam_user"}


# --- ending access ----------------------------------------------------------------------------------------------------


def test_a_deactivated_account_is_signed_out_at_once_and_can_come_back(
    admin: Client, ann: User, client: Client
) -> None:
    try_to(client)
    assert is_signed_in(client)
    assert "Nothing is deleted" in admin.get(f"/accounts/{ann.pk}/deactivate/").content.decode()
    admin.post(f"/accounts/{ann.pk}/deactivate/")
    assert not is_signed_in(client) and not AccountSession.objects.filter(account=ann)
    admin.post(f"/accounts/{ann.pk}/activate/")
    assert not is_signed_in(client), "the former session stays ended"
    try_to(client)
    assert is_signed_in(client)
    changed = (
        AuditEntry.objects.filter(verb="changed access").order_by("pk").values_list("detail__active__after", flat=True)
    )
    assert list(changed) == [False, True]


def test_nobody_deactivates_their_own_account(admin: Any, account: Any) -> None:
    account("admin", username="second")
    admin.post(f"/accounts/{admin.user.pk}/deactivate/")
    assert User.objects.get(pk=admin.user.pk).is_active


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_with_browser_and_address_and_can_all_be_ended(admin: Client, ann: User) -> None:
    laptop, phone = Client(headers={"User-Agent": FIREFOX}), Client(REMOTE_ADDR="192.0.2.7")
    for browser in (laptop, phone):
        try_to(browser)
        assert is_signed_in(browser)
    page = shown(admin, f"{ann.pk}/")
    assert "Firefox on Linux" in page and "192.0.2.7" in page
    admin.post(f"/accounts/{ann.pk}/sign-out/")
    assert not is_signed_in(laptop) and not is_signed_in(phone) and is_signed_in(admin)
    assert AuditEntry.objects.get(verb="signed out everywhere").detail == {"sessions": 2, "kept_own": False}
    assert "Not signed in anywhere" in shown(admin, f"{ann.pk}/")


def test_everybody_ends_their_own_other_sessions_and_keeps_this_one(ann: User) -> None:
    here, elsewhere = Client(), Client()
    for browser in (here, elsewhere):
        try_to(browser)
    page = pages.text_of(here.get("/accounts/me/").content.decode())
    assert page.count("This session") == 1
    here.post("/accounts/me/sign-out/")
    assert is_signed_in(here) and not is_signed_in(elsewhere)


def test_a_session_that_got_a_new_key_is_still_its_owners(ann: User, client: Client) -> None:
    try_to(client)
    new = "quite another phrase 71"
    client.post("/accounts/password/", {"old_password": "a long password", "new_password1": new, "new_password2": new})
    assert is_signed_in(client) and AccountSession.objects.filter(account=ann).count() == 1
    sessions.end_sessions(ann)
    assert not is_signed_in(client)


def test_whose_a_session_was_is_forgotten_with_it(ann: User, client: Client) -> None:
    try_to(client)
    client.post("/accounts/logout/")
    assert not AccountSession.objects.exists()
    try_to(client)
    later = timezone.now() + timedelta(hours=13)
    purge_expired.run(later)
    assert not AccountSession.objects.exists()


def test_a_session_that_idled_too_long_is_not_listed(admin: Client, ann: User, client: Client) -> None:
    try_to(client)
    assert is_signed_in(client) and len(sessions.open_sessions(ann, now=timezone.now())) == 1
    assert sessions.open_sessions(ann, now=timezone.now() + timedelta(minutes=40)) == []


# --- from the command line --------------------------------------------------------------------------------------------


def test_the_command_makes_an_administrator_again_of_whoever_is_named(
    account: Any, monkeypatch: Any, client: Client
) -> None:
    from django.core.management import CommandError, call_command  # noqa: PLC0415

    ann, chosen = account("sam_user", username="ann", is_active=False), "nine purple herons 44"
    monkeypatch.setattr("samsaas.management.commands.local_admin.getpass", lambda prompt: chosen)
    call_command("local_admin", "ann")
    try_to(client, password=chosen)
    assert client.get("/accounts/").status_code == 200
    entry = AuditEntry.objects.get(verb="made local administrator")
    assert entry.actor_name == "" and entry.detail["run_by"] and chosen not in str(entry.detail)
    call_command("local_admin", "new.one")
    assert roles.ADMIN in roles.roles_of(User.objects.get(username="new.one"))
    monkeypatch.setattr("samsaas.management.commands.local_admin.getpass", lambda prompt: "password")
    with pytest.raises(CommandError):
        call_command("local_admin", "ann")
    with pytest.raises(CommandError):
        call_command("local_admin", "a name")
    assert User.objects.get(pk=ann.pk).check_password(chosen)


def test_core_ui_ends_the_sessions_of_whom_it_deactivates(admin: Client, ann: User, client: Client) -> None:
    try_to(client)
    admin.post(f"/core/auth/user/{ann.pk}/change/", {"username": "ann", "email": "", "first_name": "", "last_name": ""})
    assert not User.objects.get(pk=ann.pk).is_active and not AccountSession.objects.filter(account=ann)


def test_edit_refuses_what_would_leave_nobody(account: Any) -> None:
    one, other = account("admin", username="one"), account("admin", username="other")
    edit.deactivate(other.pk, by=one)
    with pytest.raises(access.LastAdministrator):
        edit.deactivate(one.pk, by=None)
    assert User.objects.get(pk=one.pk).is_active
