"""Orders through the API: the verbs of the pages with their words, conflicts, and one effect for one key."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from profiles.models import JobRun
from reclamation.models import CandidateNote, RemovalBatch, RemovalCandidate
from reclamation.removal import batches
from samsaas import purge_expired
from samsaas.models import ApiCall, AuditEntry
from subscriptions.models import Entitlement, ReconciliationRun
from tests import factories
from tests.samsaas.api.world import ROOT

pytestmark = pytest.mark.django_db
PROPOSAL = {"justification": "low_usage", "note": "Nobody knows it."}


def rights(**fields: Any) -> dict[str, Any]:
    return {
        **{"publisher": "Dropbox", "product": "Dropbox Business", "agreement_type": "standard", "purchased_rights": 10},
        **{"period": "annually", "start": "2026-01-01", "end": "2026-12-31", "unit_cost": "120.00", "currency": "EUR"},
        **{"notice_days": 30, "minimum_rights": 0, **fields},
    }


def test_a_run_is_started_once_and_the_one_under_way_is_the_answer_to_the_second(caller: Any) -> None:
    script, profile = caller("sam_integrator"), factories.profile()
    scopes = [scope for process in profile.vendor_info.processes for scope in process.scopes]
    factories.credential(alias=profile.alias, state="connected", granted_scopes=scopes)
    first = script.post(f"profiles/{profile.pk}/runs", {"process": "download_subscriptions"})
    second = script.post(f"profiles/{profile.pk}/runs", {"process": "download_subscriptions"})
    assert (first.status_code, second.status_code) == (201, 200), first.content
    assert first.json()["id"] == second.json()["id"] and first.json()["requested_by"] == "sam_integrator"
    assert script.post(f"profiles/{profile.pk}/validate").status_code == 201
    canceled = script.post(f"runs/{first.json()['id']}/cancel")
    assert canceled.json()["state"] == "canceled"
    assert script.post(f"runs/{first.json()['id']}/cancel").status_code == 409
    assert script.post(f"profiles/{profile.pk}/runs", {"process": "reclaim"}).status_code == 422


def test_a_profile_that_is_not_ready_is_a_conflict_that_says_what_to_do(caller: Any) -> None:
    script, profile = caller("sam_integrator"), factories.profile(status="draft")
    answer = script.post(f"profiles/{profile.pk}/validate")
    assert answer.status_code == 409 and answer.json()["detail"] and not JobRun.objects.exists()


def test_a_reconciliation_is_asked_for_with_the_words_of_the_page(caller: Any) -> None:
    script = caller("sam_user")
    first, second = script.post("reconciliations", {}), script.post("reconciliations", {})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["number"] == second.json()["number"] == ReconciliationRun.objects.get().number
    tomorrow = (timezone.localdate() + timedelta(days=2)).isoformat()
    answer = script.post("reconciliations", {"day": tomorrow, "frob": 1, "group": 7})
    assert answer.status_code == 422 and set(answer.json()["errors"]) == {"frob", "group"}
    assert "day" in script.post("reconciliations", {"day": tomorrow}).json()["errors"]


def test_a_candidate_is_proposed_noted_assigned_and_closed(caller: Any) -> None:
    script, seat = caller("sam_admin"), factories.subscription()
    made = script.post(f"subscriptions/{seat.pk}/propose", PROPOSAL)
    assert made.status_code == 201 and made.json()["note"] == "Nobody knows it."
    again = script.post(f"subscriptions/{seat.pk}/propose", PROPOSAL)
    assert again.status_code == 409 and made.json()["number"] in again.json()["detail"]
    path = f"candidates/{made.json()['id']}"
    assert script.post(f"{path}/notes", {"text": "Ask her."}).status_code == 201
    assert CandidateNote.objects.get().by == script.user
    assigned = script.post(f"{path}/assign", {"assignee": f"user-{script.user.pk}"})
    assert assigned.json()["assigned_to"] == "sam_admin"
    assert script.post(f"{path}/assign", {"assignee": "user-999"}).json()["errors"].keys() == {"assignee"}
    assert set(script.post(f"{path}/close", {"keep_until": "2020-01-01"}).json()["errors"]) == {"reason", "keep_until"}
    closed = script.post(f"{path}/close", {"reason": "Needed."})
    assert closed.json()["state"] == "closed_skipped" and closed.json()["closed_at"].endswith("Z")
    for order, body in (("close", {"reason": "Twice."}), ("assign", {"assignee": "nobody"})):
        assert script.post(f"{path}/{order}", body).status_code == 409
    assert {entry.detail["through"] for entry in AuditEntry.objects.filter(object_type="Removal Candidate")} == {
        f"API token {script.token}"
    }


def test_an_entitlement_is_recorded_changed_and_published_as_on_its_pages(caller: Any) -> None:
    script = caller("sam_user")
    made = script.post("entitlements", rights())
    assert made.status_code == 201, made.content
    one = made.json()
    assert (one["state"], one["shown_state"], one["version"]) == ("build", "build", 1)
    path = f"entitlements/{one['id']}"
    changed = script.patch(path, {"purchased_rights": 25, "notes": "By mail", "version": 1})
    assert changed.status_code == 200, changed.content
    assert (changed.json()["purchased_rights"], changed.json()["version"]) == (25, 2)
    assert changed.json()["unit_cost"] == {"amount": "120.00", "currency": "EUR"}, "what is not named stays"
    assert script.patch(path, {"notes": "x", "version": 1}).status_code == 409
    assert script.patch(path, {"end": None, "currency": "XXX"}).json()["errors"].keys() == {"currency"}
    assert script.patch(path, {"end": None}).json()["end"] is None
    assert script.post(f"{path}/publish").json()["state"] == "in_use"
    assert script.post(f"{path}/publish").status_code == 409 and script.patch(path, {"notes": "y"}).status_code == 409
    assert Entitlement.objects.get().versions.count() == 4


def test_every_wrong_field_is_named_at_once_in_the_words_of_the_form(caller: Any) -> None:
    wrong = rights(end="2025-01-01", purchased_rights="many", unlimited="yes", owner=True, frob=1)
    answer = caller("sam_user").post("entitlements", wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "frob": ["There is no such field."],
        "purchased_rights": ["Give a whole number."],
        "unlimited": ["Give true or false."],
        "owner": ["Give a whole number."],
    }
    answer = caller("sam_user", username="other").post("entitlements", rights(end="2025-01-01", notice_days=999))
    assert set(answer.json()["errors"]) == {"end", "notice_days"} and "before the start date" in str(answer.json())
    assert not Entitlement.objects.exists()


def test_a_reclaim_is_requested_and_waits_for_a_second_person_however_small_it_is(caller: Any) -> None:
    script = caller("sam_admin")
    profile = factories.profile(team_id="t", licenses_reported=1000)
    ready = [factories.candidate(factories.subscription(profile=profile)) for _ in range(2)]
    other = factories.candidate(factories.subscription(profile=factories.profile(team_id="u")))
    body = {"candidates": [one.pk for one in ready], "legal_hold": True, "evidence": True}
    assert set(script.post("batches", {**body, "legal_hold": False}).json()["errors"]) == {"legal_hold"}
    assert "candidates" in script.post("batches", {**body, "candidates": [2**62]}).json()["errors"]
    assert "candidates" in script.post("batches", {**body, "candidates": [ready[0].pk, other.pk]}).json()["errors"]
    made = script.post("batches", body)
    assert made.status_code == 201 and made.json()["state"] == "quarantined" and made.json()["size"] == 2
    assert {one.state for one in RemovalCandidate.objects.all()} == {"ready"}
    taken = script.post("batches", body)
    assert taken.status_code == 409 and ready[0].number in taken.json()["detail"]
    with pytest.raises(batches.BatchRefused, match="Another administrator"):
        batches.decide(made.json()["id"], approve=True, by=script.user, now=timezone.now())
    assert RemovalBatch.objects.count() == 1


def test_the_same_key_gives_the_same_answer_and_one_effect(caller: Any) -> None:
    script, other = caller("sam_user"), caller("sam_user", username="other")
    first = script.post("entitlements", rights(), Idempotency_Key="order 1")
    again = script.post("entitlements", rights(), Idempotency_Key="order 1")
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert Entitlement.objects.count() == 1
    changed = script.post("entitlements", rights(purchased_rights=11), Idempotency_Key="order 1")
    elsewhere = script.post("reconciliations", {}, Idempotency_Key="order 1")
    for answer in (changed, elsewhere):
        assert answer.status_code == 422 and list(answer.json()["errors"]) == ["Idempotency-Key"]
    assert other.post("entitlements", rights(), Idempotency_Key="order 1").status_code == 201
    assert Entitlement.objects.count() == 2
    for key in ("", "x" * 201, "ключ"):
        assert script.post("entitlements", rights(), Idempotency_Key=key).status_code == 422, key


def test_what_was_refused_is_not_kept_so_its_key_serves_the_corrected_order(caller: Any) -> None:
    script = caller("sam_user")
    assert script.post("entitlements", rights(end="2025-01-01"), Idempotency_Key="k").status_code == 422
    assert not ApiCall.objects.exists()
    assert script.post("entitlements", rights(), Idempotency_Key="k").status_code == 201


def test_kept_answers_are_deleted_after_a_day(caller: Any) -> None:
    script = caller("sam_user")
    script.post("entitlements", rights(), Idempotency_Key="k")
    purge_expired.run(timezone.now() + timedelta(hours=23))
    assert ApiCall.objects.exists()
    purge_expired.run(timezone.now() + timedelta(hours=25))
    assert not ApiCall.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"text": "a", "text": "b"}', 400),
        ('{"text": NaN}', 400),
        ('{"text": ', 400),
        (b"\xff\xfe", 400),
        ("[" * 50_000, 400),
        ("[]", 422),
        ('"text"', 422),
        ("null", 422),
        ('{"text": "a\\u0000b"}', 422),
        ('{"text": "\\ud800"}', 422),
        ('{"text": {"a": 1}}', 422),
        ('{"text": ["a"]}', 422),
        ("", 422),
    ],
)
def test_a_body_that_is_no_plain_json_object_is_refused(caller: Any, body: str | bytes, status: int) -> None:
    script, one = caller("sam_admin"), factories.candidate()
    answer = Client().post(
        f"{ROOT}/candidates/{one.pk}/notes",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {script.text}"},
    )
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json", answer.content
    assert not CandidateNote.objects.exists()


def test_large_bodies_forms_files_and_disguised_methods_are_refused(caller: Any) -> None:
    script, one = caller("sam_admin"), factories.candidate()
    path, token = f"{ROOT}/candidates/{one.pk}/notes", {"Authorization": f"Bearer {script.text}"}
    large = json.dumps({"text": "x" * 200_000})
    assert Client().post(path, large, content_type="application/json", headers=token).status_code == 413
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        answer = Client().generic("POST", path, b"text=a", content_type=kind, headers=token)
        assert answer.status_code == 415 and answer["Content-Type"] == "application/problem+json", kind
    disguised = Client().get(path, headers={**token, "X-HTTP-Method-Override": "POST"})
    assert disguised.status_code == 405 and disguised["Allow"] == "POST"
    assert (
        Client().post(f"{path}?_method=DELETE", {}, content_type="application/json", headers=token).status_code == 422
    )
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        assert Client().generic(method, f"{ROOT}/people", headers=token).status_code == 405, method
    assert not CandidateNote.objects.exists()


def test_addresses_that_do_not_exist_answer_as_json(caller: Any, signed_in: Any) -> None:
    script = caller("sam_user")
    for path in ("nothing", "people/999999", "people/0", f"people/{2**70}", "people/x", "people/1/", "people.json", ""):
        answer = script.get(f"{ROOT}/{path}")
        assert answer.status_code == 404 and answer["Content-Type"] == "application/problem+json", path
        assert not answer.cookies and answer.json()["status"] == 404
    assert Client().get("/api/").status_code == 404 and Client().get("/api/v2/people").status_code == 404


def test_a_fault_of_ours_is_a_500_without_a_word_of_it(caller: Any, monkeypatch: Any) -> None:
    script = caller("sam_user")
    monkeypatch.setattr("samsaas.api.reading.read_limit", lambda request: 1 / 0)
    client = Client(raise_request_exception=False)
    answer = client.get(f"{ROOT}/people", headers={"Authorization": f"Bearer {script.text}"})
    assert answer.status_code == 500 and answer.json() == {
        "title": "Internal Server Error",
        "status": 500,
        "detail": "",
    }
