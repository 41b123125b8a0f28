"""The audit trail's page shows how far it is sealed, verifies it, and gives it as a file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.models import JobRun
from samsaas import diagnosis, startup
from samsaas.diagnosis import configuration, storage
from samsaas.lib import signatures
from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import seal, trail_file
from tests import pages, worlds
from tests.samsaas.sealing.sealed_world import ENTRIES, SEALS, new_key, seal_in_steps, tamper, write_entries

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def auditor(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def test_the_page_shows_the_last_seal_to_keep_and_what_is_not_sealed_yet(auditor: Any) -> None:
    seal_in_steps(2)
    write_entries(3, at=timezone.now() - timedelta(minutes=2))
    page = auditor.get("/audit/").content.decode()
    made = AuditSeal.objects.get()
    assert f'data-copy="1:{made.hash}"' in page and signatures.signing_key().public.text in page
    assert "Not sealed yet 3" in pages.text_of(page) and "not sealed as it should be" not in page


def test_the_page_says_why_nothing_is_sealed(auditor: Any, settings: Any) -> None:
    write_entries(1, at=timezone.now() - timedelta(hours=1))
    assert "waiting for a seal for too long" in auditor.get("/audit/").content.decode()
    settings.AUDIT_SIGNING_KEY = ""
    page = auditor.get("/audit/").content.decode()
    assert "AUDIT_SIGNING_KEY is not set" in page and "Nothing is sealed yet" in page
    settings.AUDIT_SIGNING_KEY = "nonsense"
    page = auditor.get("/audit/").content.decode()
    assert "not a key that manage.py new_audit_key printed" in page and "nonsense" not in page


def test_a_long_chain_costs_as_many_queries_as_a_short_one(auditor: Any) -> None:
    seal_in_steps(1)
    one = pages.cost(auditor, "/audit/")
    seal_in_steps(*[1] * 10)
    assert pages.cost(auditor, "/audit/") == one


def verify(client: Any) -> JobRun:
    """Press Verify, and let the worker work."""
    answer = client.post("/audit/verify/")
    worlds.work()
    run = JobRun.objects.get(process="verify_audit")
    assert answer["Location"] == run.get_absolute_url()
    return run


def test_pressing_verify_seals_what_is_due_and_checks_all_of_it(auditor: Any) -> None:
    seal_in_steps(2)
    write_entries(1)
    run = verify(auditor)
    assert run.state == JobRun.State.SUCCEEDED and run.counters["sealed"] == 3 and run.counters["seals"] == 2
    page = pages.text_of(auditor.get(run.get_absolute_url()).content.decode())
    assert "No sealed entry was changed, deleted, inserted or moved." in page
    assert "Succeeded" in auditor.get("/audit/").content.decode()


def test_a_verification_that_finds_something_fails_and_names_the_entry(auditor: Any) -> None:
    ((first, _),) = seal_in_steps(2)
    tamper(f"UPDATE {ENTRIES} SET verb = 'x' WHERE id = %s", first)
    run = verify(auditor)
    assert run.state == JobRun.State.FAILED
    page = pages.text_of(auditor.get(run.get_absolute_url()).content.decode())
    assert f"Entry {first} was changed: it is not as seal 1 has it." in page and "Find out who could" in page


def test_a_second_press_leads_to_the_same_run(auditor: Any) -> None:
    first = auditor.post("/audit/verify/")
    second = auditor.post("/audit/verify/", follow=True)
    assert first["Location"] == second.redirect_chain[0][0] and "being verified already" in second.content.decode()


def test_the_exported_trail_verifies_and_leaves_an_entry_in_itself(auditor: Any) -> None:
    seal_in_steps(2)
    answer = auditor.get("/audit/export/")
    lines = answer.getvalue().splitlines(keepends=True)
    report = trail_file.check(lines, signatures.known_keys())
    assert report.is_sound and report.sealed == 2 and report.unsealed == 1
    assert ".jsonl" in answer["Content-Disposition"] and b'"verb": "exported"' in lines[-2]
    assert AuditEntry.objects.get(verb="exported").actor_name == auditor.user.username
    assert signatures.settings.AUDIT_SIGNING_KEY.encode() not in answer.getvalue()


@pytest.mark.parametrize(
    ("role", "status"), [("", 403), ("sam_user", 403), ("sam_integrator", 403), ("sam_admin", 200), ("admin", 200)]
)
def test_verifying_and_exporting_are_for_those_who_answer_for_the_trail(signed_in: Any, role: str, status: int) -> None:
    client = signed_in(role)
    assert client.get("/audit/export/").status_code == status
    assert client.post("/audit/verify/", follow=True).status_code == status


def seals_found() -> diagnosis.Finding:
    (found,) = storage.audit_seals()
    return found


def test_the_doctor_looks_at_the_last_seal_and_at_the_triggers_of_both_tables(settings: Any) -> None:
    assert seals_found().level == "OK"
    write_entries(1, at=timezone.now() - timedelta(hours=1))
    assert seals_found().level == "WARN"
    seal.run(now=timezone.now())
    assert seals_found().level == "OK" and AuditSeal.objects.get().hash in seals_found().message
    tamper(f"UPDATE {SEALS} SET count = 7")
    assert seals_found().level == "FAIL"
    (triggers,) = storage.audit_trail()
    assert triggers.level == "FAIL" and "append_only" in triggers.message
    settings.AUDIT_SIGNING_KEY = new_key()
    assert seals_found().level == "FAIL" and "AUDIT_PUBLIC_KEYS" in seals_found().remedy


@pytest.mark.parametrize(("key", "level"), [("", "WARN"), ("nonsense", "FAIL"), ("samsaas-public-" + "A" * 43, "FAIL")])
def test_the_doctor_and_the_start_judge_the_signing_key_and_show_nothing_of_it(
    settings: Any, key: str, level: str
) -> None:
    settings.AUDIT_SIGNING_KEY = key
    (found,) = configuration.audit_signing_key()
    assert found.level == level and "new_audit_key" in found.remedy
    refused = [problem for problem in startup.find_problems(startup.SERVE) if problem.id == "samsaas.E020"]
    assert bool(refused) == (level == "FAIL")
    assert not key or key not in f"{found}{refused}"


def test_a_wrong_public_key_is_refused_at_the_start(settings: Any) -> None:
    settings.AUDIT_PUBLIC_KEYS = [new_key()]
    (refused,) = [problem for problem in startup.find_problems(startup.WORKER) if problem.id == "samsaas.E020"]
    assert "AUDIT_PUBLIC_KEYS" in refused.msg and settings.AUDIT_PUBLIC_KEYS[0] not in refused.msg
