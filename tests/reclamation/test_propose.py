"""Proposing a seat by hand: what the candidate keeps, who is refused and why, and that nothing is removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reclamation import propose
from reclamation.models import RemovalCandidate
from reclamation.states import State
from samsaas.models import AuditEntry
from subscriptions.models import Subscription
from tests import factories, pages, worlds

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def seat() -> Subscription:
    profile = factories.profile(display_name="Europe")
    kind = factories.identifier(software_model=factories.software_model(edition="Full"))
    return factories.subscription(profile=profile, identifier=kind, display_name="Ada", email="ada@one.example")


def press(client: Any, seat: Subscription, **fields: str) -> Any:
    """Fill in the form of the seat's button and send it; gives the page one ends on."""
    return client.post(f"/subscriptions/{seat.pk}/propose/", {"justification": "low_usage", **fields}, follow=True)


def test_a_person_proposes_a_seat_from_its_page_and_it_becomes_ready(user: Any, seat: Subscription) -> None:
    assert f'href="/subscriptions/{seat.pk}/propose/"' in user.get(seat.get_absolute_url()).content.decode()
    assert "Proposing removes nothing" in user.get(f"/subscriptions/{seat.pk}/propose/").content.decode()
    answer = press(user, seat, justification="unallocated", note="Left the team\r\nin May")
    candidate = RemovalCandidate.objects.get()
    assert answer.redirect_chain == [(candidate.get_absolute_url(), 302)]
    assert "Nothing was removed" in answer.content.decode()
    assert (candidate.state, candidate.opened_by, candidate.closed_at) == (State.READY, user.user, None)
    assert (candidate.get_justification_display(), candidate.software_model) == ("Unallocated", "Dropbox Business Full")
    assert (candidate.profile_name, candidate.display_name, candidate.email) == ("Europe", "Ada", "ada@one.example")
    first = candidate.history.get()
    assert (first.from_state, first.to_state, first.by) == ("", State.READY, user.user)
    assert AuditEntry.objects.get(verb="opened removal candidate").actor_id == user.user.pk
    seat.refresh_from_db()
    assert seat.ended_at is None


def test_the_vendor_is_not_called(connected: Any, dropbox: Any, user: Any) -> None:
    """The stand-in vendor counts what it is asked."""
    worlds.work_on()
    seat = Subscription.objects.current().exclude(is_admin=True).first()
    asked = len(dropbox.log)
    press(user, seat)
    assert RemovalCandidate.objects.filter(subscription=seat).exists() and len(dropbox.log) == asked


def test_evidence_counts_inactive_days_only_where_the_time_was_read(user: Any, seat: Subscription) -> None:
    now = timezone.now()
    used = factories.activity(seat, now - timedelta(days=40), kind="file_add")
    press(user, seat)
    unknown = RemovalCandidate.objects.get()
    assert unknown.evidence["last_activity"] == used.at.isoformat() and unknown.evidence["kind"] == "file_add"
    assert (unknown.evidence["covered"], unknown.evidence["inactive_days"]) == (False, None)
    page = user.get(unknown.get_absolute_url()).content.decode()
    assert "inactive days cannot be counted" in page

    other = factories.subscription(profile=seat.profile)
    factories.activity(other, now - timedelta(days=40))
    factories.coverage(seat.profile, now - timedelta(days=60), now)
    press(user, other)
    known = RemovalCandidate.objects.get(subscription=other)
    assert (known.evidence["covered"], known.evidence["inactive_days"]) == (True, 40)


def test_without_any_activity_the_days_that_were_read_are_the_least(user: Any, seat: Subscription) -> None:
    since = timezone.now() - timedelta(days=9)
    factories.coverage(seat.profile, since, timezone.now())
    press(user, seat)
    candidate = RemovalCandidate.objects.get()
    assert candidate.evidence == {
        "last_activity": None,
        "kind": "",
        "covered": True,
        "covered_since": since.isoformat(),
        "inactive_days": 9,
        "exact": False,
        "file_events": None,
        "run": None,
    }
    page = pages.text_of(user.get(candidate.get_absolute_url()).content.decode())
    assert "Never active" in page and "≥ 9" in page and "Nothing was seen since" in page


def test_where_the_plan_records_no_file_events_it_is_said_before_and_after_proposing(
    user: Any, seat: Subscription
) -> None:
    type(seat.profile).objects.update(file_events=False)
    before = user.get(f"/subscriptions/{seat.pk}/propose/").content.decode()
    press(user, seat)
    candidate = RemovalCandidate.objects.get()
    type(seat.profile).objects.update(file_events=True)
    after = user.get(candidate.get_absolute_url()).content.decode()
    for page in (before, after):
        assert "records no file events" in page
    text = user.get("/removal-candidates/export/").getvalue().decode("utf-8-sig")
    assert "Not in this plan" in text, "as it was when it was proposed"


def test_the_candidate_says_what_was_known_then_whatever_happens_after(user: Any, seat: Subscription) -> None:
    press(user, seat)
    Subscription.objects.filter(pk=seat.pk).update(display_name="Somebody else", email="else@one.example")
    factories.activity(seat, timezone.now())
    page = user.get(RemovalCandidate.objects.get().get_absolute_url()).content.decode()
    assert "Ada" in page and "Somebody else" not in page and "Not covered" in page


REFUSED = {
    "ended": ({"ended_at": timezone.now()}, propose.ENDED),
    "excluded": ({"excluded": True}, propose.EXCLUDED),
}


@pytest.mark.parametrize(("fields", "said"), REFUSED.values(), ids=REFUSED)
def test_a_seat_that_counts_nowhere_is_refused_and_its_page_says_why(
    user: Any, seat: Subscription, fields: dict[str, Any], said: str
) -> None:
    Subscription.objects.filter(pk=seat.pk).update(**fields)
    page = user.get(seat.get_absolute_url()).content.decode()
    assert said in page and "/propose/" not in page
    for answer in (press(user, seat), user.get(f"/subscriptions/{seat.pk}/propose/", follow=True)):
        assert answer.redirect_chain[-1][0] == seat.get_absolute_url() and said in answer.content.decode()
    assert not RemovalCandidate.objects.exists()


def test_a_seat_of_a_software_model_that_is_not_managed_is_refused(user: Any, seat: Subscription) -> None:
    model = seat.identifier.software_model
    assert model
    model.under_management = False
    model.save()
    assert propose.UNMANAGED in press(user, seat).content.decode()


def test_the_admin_who_authorized_the_connection_is_refused_and_the_way_out_is_named(connected: Any, user: Any) -> None:
    worlds.work_on()
    credential = connected.alias.credentials.get()
    seat = Subscription.objects.get(external_id=credential.admin_external_id)
    assert "Let another administrator press Get OAuth Token first" in press(user, seat).content.decode()
    twin = factories.subscription(external_id=credential.admin_external_id)  # of a team with another connection
    press(user, twin)
    assert RemovalCandidate.objects.get(subscription__external_id=seat.external_id).subscription == twin


def test_a_seat_that_is_proposed_already_leads_to_its_candidate(user: Any, seat: Subscription) -> None:
    press(user, seat)
    candidate = RemovalCandidate.objects.get()
    page = user.get(seat.get_absolute_url()).content.decode()
    assert candidate.get_absolute_url() in page and "/propose/" not in page
    answer = press(user, seat)
    assert answer.redirect_chain[-1][0] == candidate.get_absolute_url()
    assert "is already proposed" in answer.content.decode() and RemovalCandidate.objects.count() == 1


def test_a_skipped_seat_can_be_proposed_anew_and_both_are_on_its_page(user: Any, seat: Subscription) -> None:
    old = factories.candidate(seat, state=State.CLOSED_SKIPPED)
    press(user, seat)
    page = user.get(seat.get_absolute_url()).content.decode()
    assert old.number in page and RemovalCandidate.objects.open().get().number in page


def test_a_seat_that_goes_in_the_same_moment_is_refused(account: Any, seat: Subscription) -> None:
    stale = Subscription.objects.get(pk=seat.pk)
    seat.delete()
    with pytest.raises(propose.ProposalRefused, match="deleted with its integration profile"):
        propose.run(stale, justification="low_usage", note="", by=account("sam_user"), now=timezone.now())


@pytest.mark.parametrize("fields", [{"justification": "because"}, {"note": "x" * 2001}], ids=str)
def test_nonsense_in_the_form_opens_nothing(user: Any, seat: Subscription, fields: dict[str, str]) -> None:
    assert press(user, seat, **fields).status_code == 200
    assert not RemovalCandidate.objects.exists()
