"""Whatever ends a candidate ends what it has asked, at once: mails that wait, links, approvals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from reclamation import workflow
from reclamation.asking import approve, ask, keep
from reclamation.models import Approval, RemovalCandidate
from reclamation.states import State
from samsaas import outbox
from samsaas.models import Mail
from tests.reclamation.asking import world
from tests.reclamation.asking.world import MONDAY

pytestmark = pytest.mark.django_db
Close = Callable[[RemovalCandidate, User], Any]
WAYS: dict[str, Close] = {
    "one is skipped": lambda one, by: workflow.skip(one, reason="No.", by=by, now=MONDAY),
    "several are skipped": lambda one, by: workflow.skip_batch([one.pk], reason="No.", by=by, now=MONDAY),
    "its profile is deleted": lambda one, by: workflow.skip_all(one.profile, reason="Gone.", by=by, now=MONDAY),
    "a refresh skips it": lambda one, by: workflow.apply(one, State.CLOSED_SKIPPED, reason="Excluded.", now=MONDAY),
    "a refresh cancels it": lambda one, by: workflow.apply(one, State.CLOSED_CANCELED, reason="Used.", now=MONDAY),
}


@pytest.fixture
def boss(account: Any) -> User:
    return world.sam_admin(account)


@pytest.mark.parametrize("way", WAYS)
def test_the_question_to_the_user_ends(way: str, boss: User) -> None:
    one, other = world.candidate(), world.candidate()
    for asked in (one, other):
        ask.run(asked, None, MONDAY)
    token = world.token_of(one)
    WAYS[way](world.reread(one), boss)
    assert one.notices.get().mail.state == Mail.State.WITHDRAWN
    outbox.send_due(MONDAY)
    assert list(Mail.objects.filter(state=Mail.State.SENT)) == [other.notices.get().mail], "the other question goes on"
    assert keep.look(token, MONDAY).state == keep.CLOSED


@pytest.mark.parametrize("way", WAYS)
def test_the_question_to_the_approver_ends(way: str, boss: User) -> None:
    unlicensed = RemovalCandidate.Justification.UNLICENSED
    approval = approve.ask(world.candidate(justification=unlicensed), None, MONDAY)
    WAYS[way](world.reread(approval.candidate), boss)
    closed = Approval.objects.get()
    assert (closed.at, closed.answer) == (MONDAY, "")
    asked = Mail.objects.get(notice__kind="approval")
    assert asked.state == Mail.State.WITHDRAWN
    with pytest.raises(approve.NotDecided):
        approve.decide(closed, "approve", note="", by=boss, now=MONDAY)
