"""The pages of removals: what a person reads before and after the press, and who may press what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles.models import Credential
from reclamation.models import RemovalAttempt, RemovalBatch
from reclamation.removal import batches, evidence_file, evidence_sentences, switch
from reclamation.removal.gate import member as member_guards
from reclamation.states import State
from tests.reclamation.removal.place import ADMIN, attempt_of, state_of

pytestmark = pytest.mark.one_database

Attempt = RemovalAttempt.State


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def texts(client: Any, address: str, **given: Any) -> str:
    return client.get(address, given).content.decode()


def test_the_press_says_what_it_does_and_does_it_when_confirmed(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve")
    address = "/removal-batches/new/"
    page = texts(manager, address, candidate=candidate.pk)
    for said in ("Reclaim 1 subscription?", "Remove the account", "undone for 7 days", "5 without a second person"):
        assert said in page
    assert not RemovalBatch.objects.exists()
    done = manager.post(address, {"candidate": candidate.pk, "confirm": "1", "legal_hold": "on"}, follow=True)
    assert "goes on with 1 subscription." in done.content.decode()
    assert state_of(candidate) == State.AWAITING_REVOCATION


def test_a_posted_selection_first_shows_the_page(place: Any, manager: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(3)]
    page = manager.post("/removal-batches/new/", {"candidate": [one.pk for one in candidates]}).content.decode()
    assert "Reclaim 3 subscriptions?" in page and not RemovalBatch.objects.exists()


def test_above_the_quota_the_number_is_typed_and_a_second_person_decides(
    place: Any, manager: Any, signed_in: Any, time: Any
) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(6)]
    given = {"candidate": [one.pk for one in candidates], "confirm": "1", "legal_hold": "on"}
    page = manager.post("/removal-batches/new/", given).content.decode()
    assert "Type the number" in page and "A second person has to agree" in page
    assert manager.post("/removal-batches/new/", {**given, "typed": "5"}).status_code == 200
    assert not RemovalBatch.objects.exists()
    manager.post("/removal-batches/new/", {**given, "typed": "6"})
    batch = RemovalBatch.objects.get()
    own = texts(manager, f"/removal-batches/{batch.pk}/")
    assert "Another person has to decide" in own and "Approve<" not in own
    other = signed_in("sam_admin", username="second")
    assert "Approve<" in texts(other, f"/removal-batches/{batch.pk}/")
    time.pass_by(minutes=16)
    asks = other.post(f"/removal-batches/{batch.pk}/decide/", {"approve": "yes"}).content.decode()
    assert "password" in asks
    batch.refresh_from_db()
    assert batch.state == "quarantined"


def test_a_refused_batch_says_how_many_fit_and_when_the_rest_will(place: Any, manager: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(21)]
    page = manager.post("/removal-batches/new/", {"candidate": [one.pk for one in candidates]}).content.decode()
    assert "Too many for this team" in page and "20 are possible now" in page


@pytest.mark.parametrize("chosen", ["", "0", "9" * 400, "-1", "x", "999999"])
def test_a_choice_that_is_none_leads_back(place: Any, manager: Any, chosen: str) -> None:
    answer = manager.get("/removal-batches/new/", {"candidate": chosen}, follow=True)
    assert answer.status_code == 200 and "None of these candidates" in answer.content.decode()


def test_the_candidates_page_tells_the_whole_removal(place: Any, manager: Any, time: Any) -> None:
    candidate = place.candidate("eve")
    assert "Reclaim" in texts(manager, candidate.get_absolute_url())
    place.reclaim(candidate, by=manager.user)
    place.work()
    page = texts(manager, candidate.get_absolute_url())
    for said in ("Restore<", "Move files now", "Every guard and its answer", "Still idle", "Last look to call", "ms"):
        assert said in page
    assert "Close Skipped" not in page or "candidate_skip" not in page


def test_the_evidence_card_answers_before_the_press_what_would_happen(
    make_place: Any, manager: Any, signed_in: Any
) -> None:
    place = make_place(reviewed_at=None)
    known = {"covered": True, "last_activity": (timezone.now() - timedelta(days=80)).isoformat(), "kind": "file"}
    candidate = place.candidate("eve", evidence={**known, "inactive_days": 80, "threshold_days": 60})
    model = place.identifier.software_model
    type(model).objects.filter(pk=model.pk).update(cost_override="120.00", currency="EUR")
    for page in (
        texts(manager, candidate.get_absolute_url()),
        texts(signed_in("sam_user"), candidate.get_absolute_url()),
    ):
        for said in (
            *("If it is reclaimed", "The administrator who connected the profile", "Can be undone for 7 days"),
            *("120.00 EUR", "What the gate would say now", "Nobody has reviewed its rule.", "Still idle", "as known"),
            *("log is asked before the call", "evidence-band", "Not read", "The files could not be moved"),
        ):
            assert said in page, said
    place.seat("admin", is_admin=True, is_full_admin=True, email_verified=True)
    assert "The files could not be moved" not in texts(manager, candidate.get_absolute_url())


@pytest.mark.parametrize("others", [0, 1])
def test_removing_the_last_administrator_is_foretold_and_needs_a_person(
    place: Any, manager: Any, ann: Any, bob: Any, others: int
) -> None:
    place.team.add("dbmid:eve", is_admin=True, is_full_admin=True, roles=("Team",), account_id="dbid:dbmid:eve")
    candidate = place.candidate("eve", seat={"is_admin": True, "is_full_admin": True})
    for number in range(others):
        place.seat(f"second{number}", is_admin=True, is_full_admin=True)
    assert (member_guards.LAST_FULL_ADMIN in texts(manager, candidate.get_absolute_url())) == (not others)
    ticks = batches.Ticks(legal_hold=True, evidence=True, admins=True)
    batch = place.reclaim(candidate, by=ann, ticks=ticks)
    batches.decide(batch.pk, approve=True, by=bob, now=timezone.now())
    place.work()
    assert (attempt_of(candidate).state == Attempt.NEEDS_HUMAN) == (not others)
    assert place.team.called("withdraw") == ["dbmid:eve"] * others


def test_request_ids_of_calls_that_the_vendor_took_stand_on_the_page_and_in_the_evidence_file(
    place: Any, manager: Any, time: Any
) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    assert "req-ok" in texts(manager, candidate.get_absolute_url())
    time.pass_by(days=8)
    place.work()
    known = evidence_file.assemble(candidate)["attempts.json"][0]
    assert (known["withdraw_request_id"], known["move_request_id"]) == ("req-ok", "req-ok")
    member = next(one for one in known["gate_at_call"] if one["guard"] == "member")
    assert member["request_id"] == "look-1"
    says = evidence_sentences.sum_up(evidence_file.assemble(candidate))
    assert any("request id req-ok" in text for text in says)


def test_a_restored_account_has_the_request_id_of_its_restoring(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    page = texts(manager, candidate.get_absolute_url())
    assert "7 days 0 h left to restore it" in page or "6 days 23 h left to restore it" in page
    manager.post(f"/removals/{attempt_of(candidate).pk}/restore/", {"keep_until": timezone.localdate().isoformat()})
    place.work()
    assert attempt_of(candidate).restore_request_id == "req-ok"


def test_restoring_and_moving_ask_first_and_then_act(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    attempt = attempt_of(candidate)
    assert "uses a license again" in texts(manager, f"/removals/{attempt.pk}/restore/")
    assert "cannot be restored any more" in texts(manager, f"/removals/{attempt.pk}/move/")
    assert attempt_of(candidate).state == Attempt.REMOVED
    until = timezone.localdate() + timedelta(days=10)
    manager.post(f"/removals/{attempt.pk}/restore/", {"keep_until": until.isoformat()})
    place.work()
    candidate.subscription.refresh_from_db()
    assert attempt_of(candidate).state == Attempt.RESTORED and candidate.subscription.keep_until == until
    late = manager.post(f"/removals/{attempt.pk}/move/", follow=True).content.decode()
    assert "not waiting for the end of its undo window" in late and place.team.called("finish") == []


@pytest.mark.parametrize("days", [-1, 400])
def test_a_day_that_is_over_or_far_away_is_refused(place: Any, manager: Any, days: int) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    until = (timezone.localdate() + timedelta(days=days)).isoformat()
    page = manager.post(f"/removals/{attempt_of(candidate).pk}/restore/", {"keep_until": until})
    assert page.status_code == 200 and "within a year" in page.content.decode()
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_the_switch_is_pressed_by_a_sam_admin_and_let_go_by_an_administrator(
    place: Any, manager: Any, signed_in: Any, time: Any
) -> None:
    manager.post("/removals/switch/", {"reason": "An odd import"})
    assert switch.paused_because(place.profile) == "Paused everywhere: An odd import"
    page = texts(manager, "/removals/switch/")
    assert "An odd import" in page and "Let removals go on" not in page
    assert manager.post("/removals/switch/on/", {"reason": "Fine"}).status_code == 403
    admin = signed_in("admin")
    time.pass_by(minutes=16)
    assert "password" in admin.post("/removals/switch/on/", {"reason": "Fine"}).content.decode()
    assert switch.paused_because(place.profile)


def test_limits_are_an_administrators_and_ask_for_the_password(
    place: Any, manager: Any, signed_in: Any, time: Any
) -> None:
    address = f"/aliases/{place.profile.alias_id}/removal-limits/"
    assert manager.get(address).status_code == 403
    admin = signed_in("admin")
    assert "a twentieth of the licenses" in texts(admin, address)
    time.pass_by(minutes=16)
    asked = admin.post(address, {"reclaim_quota": "9", "reclaim_ceiling": "20"})
    assert "password" in asked.content.decode()
    place.profile.alias.refresh_from_db()
    assert place.profile.alias.reclaim_quota is None


def test_resume_is_offered_and_makes_it_ready_again(place: Any, manager: Any) -> None:
    place.team.change(ADMIN, is_admin=True)
    candidate = place.candidate("eve", state=State.ATTENTION_REQUIRED, attention="Look at it")
    assert "Resume Reclaim" in texts(manager, candidate.get_absolute_url())
    manager.post(f"/removal-candidates/{candidate.pk}/resume/")
    assert state_of(candidate) == State.READY


def test_lists_cost_the_same_for_one_row_and_for_thirty(place: Any, manager: Any) -> None:
    place.team.licenses = 10_000
    type(place.profile).objects.update(licenses_reported=10_000)
    place.profile.refresh_from_db()
    first = place.candidate("m0")
    place.reclaim(first, by=manager.user)
    place.work()
    addresses = ("/removals/", "/removal-batches/", "/savings/", "/removal-candidates/")
    before = {address: queries(manager, address) for address in addresses}
    alias = place.profile.alias
    type(alias).objects.filter(pk=alias.pk).update(reclaim_quota=1000)
    for number in range(1, 30):
        place.reclaim(place.candidate(f"m{number}"), by=manager.user)
    place.work()
    assert RemovalAttempt.objects.filter(state=Attempt.REMOVED).count() == 30
    assert {address: queries(manager, address) for address in addresses} == before


def queries(client: Any, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address).status_code == 200
    return len(found)


@pytest.mark.parametrize("address", ["/removals/", "/removal-batches/", "/savings/", "/removals/switch/"])
def test_without_anything_the_pages_say_what_to_do(db: None, manager: Any, address: str) -> None:
    assert manager.get(address).status_code == 200


def test_late_use_is_told_on_the_start_page_with_the_way_back(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    RemovalAttempt.objects.update(regret_at=timezone.now())
    for address in ("/", "/removals/", candidate.get_absolute_url()):
        page = texts(manager, address)
        assert "A removed account had been used" in page and "Restore the account" in page


@pytest.mark.parametrize("second", [True, False])
def test_before_the_press_it_says_where_nobody_else_could_approve(
    make_place: Any, manager: Any, signed_in: Any, second: bool
) -> None:
    place = make_place(notify_user=True, approver="group")
    if second:
        signed_in("sam_admin", username="second")
    page = texts(manager, "/removal-batches/new/", candidate=place.candidate("eve").pk)
    assert ("Nobody but you could approve this" in page) != second


def test_a_rule_that_asks_no_approver_needs_none(place: Any, manager: Any) -> None:
    page = texts(manager, "/removal-batches/new/", candidate=place.candidate("eve").pk)
    assert "Nobody but you" not in page


def test_why_a_candidate_was_not_asked_is_told_to_whoever_pressed(make_place: Any, manager: Any) -> None:
    """The page of the batch keeps the reason, and the candidate stays Ready for another time."""
    place = make_place(notify_user=True, approver="group", reviewed_at=None)
    candidate = place.candidate("eve")
    given = {"candidate": candidate.pk, "confirm": "1", "legal_hold": "on"}
    page = manager.post("/removal-batches/new/", given, follow=True).content.decode()
    assert page.count("Nobody has reviewed its reclamation rule yet") >= 2, "a message, and the batch\u2019s own list"
    candidate.refresh_from_db()
    assert (candidate.state, candidate.batch) == (State.READY, None)


def test_resuming_shows_the_gate_first(place: Any, manager: Any) -> None:
    candidate = place.candidate("eve", state=State.ATTENTION_REQUIRED, attention="Look at it.")
    address = f"/removal-candidates/{candidate.pk}/resume/"
    assert address in texts(manager, candidate.get_absolute_url())
    page = texts(manager, address)
    for said in ("Look at it.", "What the gate would say now", "Still idle", "Legal hold"):
        assert said in page, said
    assert state_of(candidate) == State.ATTENTION_REQUIRED, "looking changes nothing"


def test_while_files_wait_a_profile_can_be_disconnected_and_says_what_goes_on(place: Any, manager: Any) -> None:
    """P5: the moves hold, the countdown does not."""
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=manager.user)
    place.work()
    admin = type(manager.user).objects.create_superuser("root", password="x")
    manager.force_login(admin)
    manager.post(f"/integration-profiles/{place.profile.pk}/disconnect/")
    page = texts(manager, place.profile.get_absolute_url())
    assert "Files of removed members wait" in page and "Can be restored until" in page
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_the_administrator_who_connected_before_can_be_proposed_once_another_one_has(place: Any, manager: Any) -> None:
    """P6: only the present credential counts."""
    seat = place.seat("admin", is_admin=True)
    assert (
        "This account authorized the connection" in manager.post(f"/subscriptions/{seat.pk}/propose/", follow=True).text
    )
    Credential.objects.update(admin_external_id="dbmid:another")
    done = manager.post(f"/subscriptions/{seat.pk}/propose/", {"justification": "low_usage"}, follow=True).text
    assert "was opened. Nothing was removed." in done


def test_from_its_page_one_candidate_is_assigned_and_given_a_note(place: Any, manager: Any, signed_in: Any) -> None:
    candidate = place.candidate("eve")
    page = texts(manager, candidate.get_absolute_url())
    assert 'value="assign"' in page and 'value="note"' in page
    given = {"shown": candidate.pk, "row": candidate.pk, "do": "note"}
    form = manager.post("/removal-candidates/select/", given, follow=True).content.decode()
    assert "Add a note to 1 candidate" in form and candidate.number in form
    assert 'value="assign"' not in texts(signed_in("sam_user"), candidate.get_absolute_url())


def test_who_decides_reads_what_would_happen_at_equal_cost_for_few_and_many(
    place: Any, manager: Any, signed_in: Any, time: Any
) -> None:
    """By rule, by department, to whom the files go, whether it can be undone: as the requester read it."""
    place.team.licenses = 200
    type(place.profile).objects.update(licenses_reported=200)
    place.seat("admin", at_vendor=False, display_name="Ada Admin")
    counts = []
    for size in (11, 25):
        candidates = [place.candidate(f"p{size}x{number}") for number in range(size)]
        given = {"candidate": [one.pk for one in candidates], "confirm": "1", "legal_hold": "on", "typed": size}
        manager.post("/removal-batches/new/", given)
        batch = RemovalBatch.objects.latest("pk")
        other = signed_in("sam_admin", username=f"second{size}")
        page = texts(other, f"/removal-batches/{batch.pk}/")
        for said in (
            "Remove the account",
            "By department",
            "Can be undone for 7 days",
            "connected the profile, Ada Admin",
        ):
            assert said in page
        with CaptureQueriesContext(connection) as queries:
            other.get(f"/removal-batches/{batch.pk}/")
        counts.append(len(queries))
        other.post(f"/removal-batches/{batch.pk}/decide/", {"approve": "yes"})
        after = texts(other, f"/removal-batches/{batch.pk}/")
        assert "Every guard is asked by the next run." in after and "By department" not in after
    assert counts[0] == counts[1]
