"""A colleague is invited by mail: one link, one account, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from samsaas import outbox, roles
from samsaas.accounts import invite
from samsaas.models import AuditEntry, Invitation, Mail
from tests import pages
from tests.samsaas.accounts.mailbox import newest_link
from tests.samsaas.sign_in_world import try_to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
COLLEAGUE, CHOSEN = "eve@example.com", "nine purple herons 44"
OVER = "This link is not valid any more"


@pytest.fixture
def admin(signed_in: Any) -> Client:
    client: Client = signed_in("admin")
    return client


def send(admin: Client, *names: str, **changes: str) -> Any:
    groups = list(Group.objects.filter(name__in=names).values_list("pk", flat=True))
    return admin.post("/accounts/invitations/new/", {"email": COLLEAGUE, "username": "", "groups": groups, **changes})


def answer(link: str, **changes: str) -> Any:
    form = {"first_name": "Eve", "last_name": "Adams", "password": CHOSEN, "repeated": CHOSEN, **changes}
    return Client().post(link, form)


def is_over(link: str) -> bool:
    looked, tried = Client().get(link), answer(link)
    assert looked.status_code == tried.status_code and looked.content == tried.content
    return looked.status_code == 404 and OVER in looked.content.decode()


def test_from_the_invitation_to_the_first_page(admin: Client) -> None:
    page = pages.text_of(admin.post("/accounts/invitations/new/", {"email": "x"}).content.decode())
    assert "valid email" in page
    send(admin, "sam_user", "sam_admin")
    link = newest_link(COLLEAGUE)
    assert COLLEAGUE in Client().get(link).content.decode()
    assert answer(link)["Location"] == "/accounts/login/"
    client = Client()
    try_to(client, COLLEAGUE, CHOSEN)
    assert client.get("/people/new/").status_code == 200
    account = User.objects.get(username=COLLEAGUE)
    assert (account.get_full_name(), account.email) == ("Eve Adams", COLLEAGUE)
    assert roles.roles_of(account) == {"sam_user", "sam_admin"}
    assert AuditEntry.objects.get(verb="invited").detail["roles"] == ["sam_admin", "sam_user"]
    assert AuditEntry.objects.get(verb="accepted invitation").actor_name == COLLEAGUE
    assert is_over(link)
    assert "Accepted" in admin.get("/accounts/invitations/").content.decode()


def test_neither_token_nor_link_is_stored_where_it_could_be_read(admin: Client) -> None:
    send(admin)
    token = newest_link(COLLEAGUE).strip("/").rpartition("/")[2]
    row = Invitation.objects.get()
    assert token not in str(vars(row)) and row.token_hash == invite.hash_of(token)
    assert token not in str(list(AuditEntry.objects.values())) + str(list(Mail.objects.values("body", "subject")))


def test_a_link_ends_after_a_week_and_a_new_one_ends_the_former(admin: Client) -> None:
    send(admin)
    first = newest_link(COLLEAGUE)
    with time_machine.travel(timezone.now() + invite.VALID_FOR + timedelta(seconds=1)):
        assert is_over(first)
    invitation = Invitation.objects.get()
    admin.post(f"/accounts/invitations/{invitation.pk}/resend/")
    second = newest_link(COLLEAGUE)
    assert is_over(first) and second != first
    assert Client().get(second).status_code == 200
    assert Mail.objects.filter(state="withdrawn").count() == 1


def test_a_withdrawn_invitation_sends_nothing_and_opens_nothing(admin: Client) -> None:
    send(admin)
    link, invitation = newest_link(COLLEAGUE), Invitation.objects.get()
    admin.post(f"/accounts/invitations/{invitation.pk}/withdraw/")
    assert is_over(link) and Mail.objects.get().state == "withdrawn"
    page = admin.post(f"/accounts/invitations/{invitation.pk}/resend/", follow=True).content.decode()
    assert "accepted or withdrawn meanwhile" in page and Mail.objects.count() == 1


@pytest.mark.parametrize("loses", ["its role", "its access"])
def test_a_link_ends_with_the_rights_of_whoever_sent_it(admin: Client, signed_in: Any, loses: str) -> None:
    send(admin, "admin")
    link, invitation, sender = newest_link(COLLEAGUE), Invitation.objects.get(), User.objects.get()
    other = signed_in("admin", username="other")
    if loses == "its role":
        sender.groups.clear()
    else:
        other.post(f"/accounts/{sender.pk}/deactivate/")
    assert is_over(link) and not User.objects.filter(username=COLLEAGUE).exists()
    assert "Sender is no administrator" in other.get("/accounts/invitations/?state=sender_gone").content.decode()
    assert COLLEAGUE not in other.get("/accounts/invitations/?state=open").content.decode()
    page = f"/accounts/invitations/{invitation.pk}/"
    assert "This link opens nothing" in other.get(page).content.decode()
    assert "This link opens nothing" not in other.post(f"{page}resend/", follow=True).content.decode()
    assert is_over(link) and answer(newest_link(COLLEAGUE))["Location"] == "/accounts/login/"


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 4000, "%00", "../me", "é" * 43])
def test_a_link_that_nobody_sent_is_over_like_any_other(admin: Client, token: str) -> None:
    assert Client().get(f"/accounts/welcome/{token}/").status_code in (404, 400, 414)


def test_a_weak_password_a_typing_error_and_a_taken_name_make_no_account(admin: Client, account: Any) -> None:
    send(admin)
    link = newest_link(COLLEAGUE)
    assert "password_help" not in answer(link, password="short", repeated="short")
    assert "not the same" in pages.text_of(answer(link, repeated="another").content.decode())
    assert answer(link, password="eve@example.com1", repeated="eve@example.com1").status_code == 200
    assert not User.objects.filter(username=COLLEAGUE).exists()
    account("admin", username=COLLEAGUE)
    assert answer(link).status_code == 404, "the page does not tell that the name exists"
    assert not User.objects.get(username=COLLEAGUE).check_password(CHOSEN)


def test_no_second_invitation_and_none_for_a_name_that_exists(admin: Client, account: Any) -> None:
    account("", username="ann")
    assert "There is an account" in pages.text_of(send(admin, username="Ann").content.decode())
    send(admin)
    assert "There is an invitation" in pages.text_of(send(admin).content.decode())
    assert Invitation.objects.count() == 1


def test_links_are_counted_by_address(admin: Client) -> None:
    statuses = [Client(REMOTE_ADDR="192.0.2.9").get(f"/accounts/welcome/{'A' * 43}/").status_code for _ in range(21)]
    assert statuses == [404] * 20 + [429]


def test_only_administrators_see_the_link_of_a_mail_that_was_kept(admin: Client, signed_in: Any) -> None:
    send(admin, "admin")
    outbox.send_due(timezone.now())
    mail = Mail.objects.get()
    assert mail.kept and mail.secret in admin.get(f"/outbox/{mail.pk}/").content.decode()
    assert mail.secret not in signed_in("sam_admin", username="sam").get(f"/outbox/{mail.pk}/").content.decode()


def test_a_stolen_session_of_an_administrator_opens_no_account_by_a_mail_that_was_kept(admin: Client) -> None:
    send(admin, "admin")
    outbox.send_due(timezone.now())
    mail = Mail.objects.get()
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        shown = admin.get(f"/outbox/{mail.pk}/").content.decode()
        assert mail.secret not in shown and "Show the link of this account" in shown
        asked = admin.post(f"/outbox/{mail.pk}/").content.decode()
        assert mail.secret not in asked and "Your password" in asked
