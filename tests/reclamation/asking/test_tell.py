"""Mails that ask nothing: to users about what was decided and done, to requesters, and about regret."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from reclamation.asking import approve, keep, sweep, tell
from reclamation.models import Approval, RemovalCandidate
from reclamation.removal import regret, restore
from samsaas.models import Mail
from subscriptions.models import LastActivity
from tests import factories
from tests.reclamation.asking import world
from tests.reclamation.asking.world import DAY, MINUTE, MONDAY
from tests.reclamation.removal.conftest import Time, ann, make_place, time  # noqa: F401 - fixtures
from tests.reclamation.removal.place import attempt_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
UNLICENSED = RemovalCandidate.Justification.UNLICENSED


def told(to: str) -> list[str]:
    """The subjects of mails to this address that ask nothing, oldest first."""
    kinds = ("inform", "removed", "restored")
    return list(Mail.objects.filter(to=to, notice__kind__in=kinds).order_by("pk").values_list("subject", flat=True))


def body_of(subject: str) -> str:
    return Mail.objects.filter(subject=subject).latest("pk").body


@pytest.mark.parametrize(
    ("until", "answer", "subject", "says"),
    [
        (date(2027, 6, 1), "approve", "You keep", "until 1 June 2027"),
        (None, "approve", "You keep", "until 1 March 2027"),
        (None, "reject", "is taken back", "That was not approved"),
    ],
)
def test_a_user_learns_what_became_of_their_wish(
    account: Any, until: date | None, answer: str, subject: str, says: str
) -> None:
    boss = world.sam_admin(account)
    one = world.asked()
    keep.run(world.token_of(one), "I need it.", until, MONDAY + MINUTE)
    approve.decide(Approval.objects.get(), answer, note="Between us.", by=boss, now=MONDAY + DAY)
    (said,) = told("ann@example.com")
    assert subject in said and says in body_of(said)
    assert "Between us." not in body_of(said) and "boss" not in body_of(said), "it names no colleague"


def test_silence_of_the_approver_is_told_to_the_user_as_well(account: Any) -> None:
    world.sam_admin(account)
    one = world.asked()
    keep.run(world.token_of(one), "", None, MONDAY + MINUTE)
    sweep.run(MONDAY + 15 * DAY)
    assert [subject[:8] for subject in told("ann@example.com")] == ["You keep"]


@pytest.mark.parametrize("how", ["rejected", "nobody decides"])
def test_whoever_asked_for_a_removal_learns_that_it_was_not_approved(account: Any, how: str) -> None:
    boss, other = world.sam_admin(account), world.sam_admin(account, "other")
    approval = approve.ask(world.candidate(justification=UNLICENSED), boss, MONDAY)
    if how == "rejected":
        approve.decide(approval, "reject", note="", by=other, now=MONDAY + DAY)
    else:
        sweep.run(MONDAY + 31 * DAY)
    (subject,) = told("boss@example.com")
    assert subject.startswith("Not removed: ") and approval.candidate.get_absolute_url() in body_of(subject)
    assert told("other@example.com") == []


class TestOfARemoval:
    @pytest.fixture
    def removed(self, make_place: Any, account: Any) -> Any:  # noqa: F811 - the fixture
        """A place where eve's user was removed, by boss."""
        place = make_place(notify_user=True, approver="none")
        place.boss = world.sam_admin(account)
        place.one = place.candidate("eve")
        place.reclaim(place.one, by=place.boss)
        return place

    def take(self, place: Any, time: Time) -> None:  # noqa: F811 - the fixture
        """Nobody answers, and it is removed."""
        world.minute(timezone.now())
        time.pass_by(days=9)
        place.refresh()
        world.minute(timezone.now())
        place.work()

    def test_the_user_is_told_once_with_the_end_of_the_undo_window(
        self,
        removed: Any,
        time: Time,  # noqa: F811 - the fixture
    ) -> None:
        self.take(removed, time)
        removed.work()
        (subject,) = told("eve@example.com")
        assert subject.endswith("was taken back")
        day = timezone.localtime(attempt_of(removed.one).restorable_until)
        assert f"It can be restored until {day:%-d %B %Y}" in body_of(subject)

    def test_and_again_when_it_is_restored(self, removed: Any, time: Time) -> None:  # noqa: F811 - the fixture
        self.take(removed, time)
        restore.request(attempt_of(removed.one), by=removed.boss, now=timezone.now())
        removed.work()
        assert [one.rpartition(" ")[2] for one in told("eve@example.com")] == ["back", "back"]
        assert told("eve@example.com")[1].endswith("is back")

    def test_regret_is_told_at_any_hour_to_requester_and_administrators_with_the_way_to_restore(
        self,
        removed: Any,
        account: Any,
        time: Time,  # noqa: F811 - the fixture
    ) -> None:
        world.sam_admin(account, "other")
        account("sam_user", username="reader", email="reader@example.com")
        self.take(removed, time)
        attempt = attempt_of(removed.one)
        LastActivity.objects.update(at=attempt.withdrawn_at - timedelta(hours=2))
        assert regret.watch(now=timezone.now()) == 1 and regret.watch(now=timezone.now()) == 0
        for to in ("boss@example.com", "other@example.com"):
            (subject,) = told(to)
            assert subject.startswith("Removed although used: ") and Mail.objects.get(to=to).any_hour
            assert "Press Restore here" in body_of(subject) and removed.one.get_absolute_url() in body_of(subject)
        assert told("reader@example.com") == []


def test_who_has_left_is_not_written_to() -> None:
    one = world.candidate(person=factories.person("ann@example.com", left_on=date(2026, 11, 1)))
    assert tell.tell_not_kept(one, MONDAY) is None and not Mail.objects.exists()


@pytest.mark.parametrize("justification", [UNLICENSED, RemovalCandidate.Justification.RESTRICTED_SOFTWARE])
def test_where_nobody_is_asked_the_user_is_told_before(make_place: Any, ann: Any, justification: str) -> None:  # noqa: F811
    place = make_place(notify_user=True, approver="none")
    one = place.candidate("eve", justification=justification)
    place.reclaim(one, by=ann)
    assert [subject.endswith("is to be taken back") for subject in told("eve@example.com")] == [True]
