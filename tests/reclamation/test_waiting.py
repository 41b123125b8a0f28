"""The start page names what of reclamation waits for whoever looks, and every figure opens its rows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from reclamation import waiting
from reclamation.asking import approve
from reclamation.models import Approval, Notice, RemovalAttempt, RemovalBatch
from reclamation.states import State
from samsaas.models import Mail
from tests import factories, pages

pytestmark = pytest.mark.django_db
Attempt = RemovalAttempt.State


@pytest.fixture
def reader(signed_in: Any) -> Client:
    return signed_in("sam_user")


@pytest.fixture
def manager(signed_in: Any) -> Client:
    return signed_in("sam_admin")


def candidate(**fields: Any) -> Any:
    return factories.candidate(factories.subscription(), **fields)


def attempt(**fields: Any) -> RemovalAttempt:
    one = candidate(state=State.AWAITING_REVOCATION)
    given = {"candidate": one, "profile": one.profile, "vendor": "dropbox", "team_id": "t", "opened_at": timezone.now()}
    return RemovalAttempt.objects.create(**{**given, "external_id": f"dbmid:{one.pk}", **fields})


def regretted() -> None:
    now, later = timezone.now(), timezone.now() + timedelta(days=3)
    attempt(state=Attempt.REMOVED, intent_at=now, withdrawn_at=now, regret_at=now, restorable_until=later)


def failed_mail() -> None:
    now = timezone.now()
    mail = Mail.objects.create(
        to="eve@example.com", subject="S", body="", state="failed", queued_at=now, not_before=now, give_up_at=now
    )
    Notice.objects.create(candidate=candidate(), kind="ask", mail=mail)


def batch() -> None:
    profile = factories.profile()
    given = {"profile": profile, "profile_name": "P", "vendor": "dropbox", "team_id": "t", "size": 1, "limits": {}}
    RemovalBatch.objects.create(**given, requested_at=timezone.now(), state="quarantined")


def left_admin() -> None:
    seat = factories.subscription(is_admin=True)
    factories.match(seat, factories.person(left_on=timezone.localdate() - timedelta(days=1)))


KINDS = {
    "Removed although used": regretted,
    "Removals that need a person": lambda: attempt(state=Attempt.NEEDS_HUMAN),
    "Batches": batch,
    "Candidates": lambda: candidate(state=State.ATTENTION_REQUIRED, attention="Look."),
    "Administrators who left": left_admin,
    "Mails that failed": failed_mail,
}


@pytest.mark.parametrize("label", KINDS)
def test_each_figure_opens_exactly_its_rows(label: str, manager: Client) -> None:
    assert "Waiting for a person" not in manager.get("/").text
    for _ in range(2):
        KINDS[label]()
    # of the same kinds, what does not wait
    candidate()
    attempt(state=Attempt.GATED)
    factories.subscription(is_admin=True)
    (one,) = waiting.list_for(User.objects.get(pk=manager.session["_auth_user_id"]))
    assert (one.label, one.count) == (label, 2)
    page = manager.get("/").text
    assert label in page and one.url.replace("&", "&amp;") in page
    assert pages.rows_behind(manager, one.url) == 2


def test_a_question_waits_for_whom_it_was_asked_also_without_any_role(client: Client) -> None:
    boss, other = User.objects.create(username="boss"), User.objects.create(username="other")
    one = candidate(state=State.AWAITING_APPROVAL)
    now = timezone.now()
    Approval.objects.create(
        candidate=one, question="removal", asked_of_user=boss, asked_at=now, due_at=now + approve.ANSWER_WITHIN
    )
    client.force_login(boss)
    assert re.search(r"/approvals/\?show=mine", client.get("/").text)
    assert pages.rows_behind(client, "/approvals/?show=mine") == 1
    client.force_login(other)
    assert "Questions to you" not in client.get("/").text


def test_an_account_sees_no_figure_of_a_page_that_it_may_not_open(reader: Client) -> None:
    failed_mail()
    assert "Mails that failed" not in reader.get("/").text
