"""The evidence of a removal: all of it in one signed file, and no secret."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from reclamation.models import (
    Approval,
    CandidateNote,
    KeepAnswer,
    Notice,
    ReclamationRule,
    RemovalAttempt,
    RemovalBatch,
    RemovalCandidate,
    RuleVersion,
    StateChange,
)
from reclamation.removal import evidence_file as removal_evidence
from reclamation.states import State
from samsaas.lib import evidence_file, signatures
from samsaas.models import AuditEntry, Mail
from samsaas.sealing import seals
from tests import factories, pages
from tests.samsaas.sealing.sealed_world import seal_in_steps

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
TOKEN = "Zx9_" + "a1B2c3D4e5" * 3 + "f6G7h8I9j"  # 43 letters, as a link's token has
CANARIES = ("canary-mail-secret", TOKEN, "sl.u.canary-vendor-token", "canary-body", "canary-bearer-value")


def minutes(count: int) -> datetime:
    return T0 + timedelta(minutes=count)


def rule_version(candidate: RemovalCandidate, by: Any) -> RuleVersion:
    rule = ReclamationRule.objects.create(software_model=factories.software_model(), name="SAM - Reclaim", made_at=T0)
    return RuleVersion.objects.create(rule=rule, version=3, settings={"threshold_days": 60}, by=by, at=T0)


def notice(candidate: RemovalCandidate, kind: str, **fields: Any) -> Notice:
    mail = Mail.objects.create(
        to="zoe@example.com",
        subject="Do you still need Dropbox?",
        body=f"Press {Mail.LINK} or https://x.example/keep/{TOKEN} soon.",
        queued_at=T0,
        not_before=T0,
        give_up_at=minutes(9),
        **fields,
    )
    Mail.objects.filter(pk=mail.pk).update(secret=f"https://x.example/keep/canary-mail-secret-{TOKEN}")
    return Notice.objects.create(candidate=candidate, kind=kind, mail=mail, token_hash=f"{mail.pk:064}")


@pytest.fixture
def removed(account: Any) -> RemovalCandidate:
    """A candidate that was asked, approved, removed and restored."""
    ann, bob = account("sam_admin", username="ann"), account("sam_admin", username="bob")
    made = factories.candidate(
        display_name="Zoë <b>",
        email="zoe@example.com",
        state=State.CLOSED_SKIPPED,
        reason="never_active",
        evidence={
            "last_activity": "2026-08-01T10:00:00+00:00",
            "covered": True,
            "inactive_days": 93,
            "exact": False,
            "covered_since": "2026-09-01T00:00:00+00:00",
            "kind": "login",
            "file_events": True,
        },
        opened_at=T0,
        closed_at=minutes(60),
    )
    RemovalCandidate.objects.filter(pk=made.pk).update(rule_version=rule_version(made, ann))
    StateChange.objects.create(candidate=made, to_state=State.READY, at=T0, by=ann, reason="found")
    CandidateNote.objects.create(candidate=made, by=ann, at=T0, text="Please look.")
    notice(made, Notice.Kind.ASK, state=Mail.State.SENT, sent_at=minutes(1))
    notice(made, Notice.Kind.REMINDER, state=Mail.State.FAILED, error="mailbox full")
    KeepAnswer.objects.create(
        candidate=made, channel="link", reason="I need it", keep_until=date(2027, 1, 1), at=minutes(3)
    )
    Approval.objects.create(
        candidate=made,
        question="removal",
        asked_of_group=Group.objects.get(name="sam_admin"),
        asked_at=minutes(4),
        due_at=minutes(9),
        answered_by=bob,
        answer="approve",
        at=minutes(5),
    )
    batch = RemovalBatch.objects.create(
        profile=made.profile,
        profile_name=made.profile_name,
        vendor="dropbox",
        team_id="dbtid:1",
        requested_by=ann,
        requested_at=minutes(4),
        size=1,
        limits={"licenses": 40, "quota": 2, "ceiling": 8, "day": 0, "week": 1},
        decided_by=bob,
        decided_at=minutes(5),
    )
    answers = [{"guard": "switch", "answer": "pass", "detail": "", "at": T0.isoformat()}]
    RemovalAttempt.objects.create(
        candidate=made,
        batch=batch,
        profile=made.profile,
        vendor="dropbox",
        team_id="dbtid:1",
        external_id=made.external_id,
        email=made.email,
        state="restored",
        owner="canary-owner",
        opened_at=minutes(4),
        intent_at=minutes(6),
        fingerprint="f" * 64,
        called_at=minutes(6),
        answered_at=minutes(7),
        check_to_call_ms=812,
        async_job_id="job-77",
        withdrawn_at=minutes(7),
        freed_at=minutes(7),
        restorable_until=minutes(9000),
        restored_at=minutes(50),
        restored_by=bob,
        closed_at=minutes(60),
        gate_at_approval=answers,
        gate_at_call=[
            *answers,
            {"guard": "member", "answer": "unknown", "detail": "Bearer canary-bearer-value", "at": T0.isoformat()},
        ],
        error_message="Refused: sl.u.canary-vendor-token",
        error_body="canary-body",
        error_request_id="req-4711",
    )
    made.refresh_from_db()
    return made


def opened(candidate: RemovalCandidate) -> evidence_file.Evidence:
    return evidence_file.check(removal_evidence.write(candidate, now=minutes(100)))


def test_the_file_holds_all_that_was_known_asked_agreed_checked_and_done(removed: RemovalCandidate) -> None:
    seal_in_steps(1)
    parts = opened(removed).parts
    assert parts["candidate.json"]["evidence"] == removed.evidence
    assert parts["rule.json"] == {
        "name": "SAM - Reclaim",
        "version": 3,
        "settings": {"threshold_days": 60},
        "by": "ann",
        "at": "2026-11-02T08:00:00.000000+00:00",
    }
    assert parts["history.json"][0]["reason"] == "found" and parts["notes.json"][0]["by"] == "ann"
    first, second = parts["notices.json"]
    assert first["body"] == "Press [link] or https://x.example/keep/[masked] soon." and first["state"] == "sent"
    assert first["subject"] == "Do you still need Dropbox?" and second["error"] == "mailbox full"
    assert parts["answers.json"][0]["reason"] == "I need it" and parts["answers.json"][0]["keep_until"] == "2027-01-01"
    assert parts["approvals.json"][0]["answered_by"] == "bob"
    assert parts["batches.json"][0]["limits"]["quota"] == 2 and parts["batches.json"][0]["decided_by"] == "bob"
    (attempt,) = parts["attempts.json"]
    assert [one["guard"] for one in attempt["gate_at_call"]] == ["switch", "member"]
    assert attempt["error_request_id"] == "req-4711" and attempt["check_to_call_ms"] == 812
    assert attempt["called_at"] == "2026-11-02T08:06:00.000000+00:00" and attempt["restored_by"] == "bob"
    last = seals.last_seal()
    assert last and parts["audit_trail.json"]["hash"] == last.hash


def test_no_secret_is_inside(removed: RemovalCandidate, settings: Any) -> None:
    whole = removal_evidence.write(removed, now=minutes(100))
    hashes = list(Notice.objects.values_list("token_hash", flat=True))
    keys = [settings.AUDIT_SIGNING_KEY, *settings.FIELD_ENCRYPTION_KEYS, settings.SECRET_KEY]
    for secret in [*CANARIES, *hashes, *keys, "canary-owner"]:
        assert str(secret).encode() not in whole, secret


def test_its_sentences_tell_the_story(removed: RemovalCandidate) -> None:
    said = "\n".join(opened(removed).says)
    for sentence in (
        "is about Zoë <b> (zoe@example.com",
        "by samsaas by the rule “SAM - Reclaim”, version 3, for the reason “Never active” (Low Usage).",
        "the last known use was on 2026-08-01 10:00:00 UTC, at least 93 days without use; the time since was read",
        "Mails that were sent: Question (1). Mails that were not: 1.",
        "somebody asked to keep it, by the link. That was not decided.",
        "“May it be removed?” was approved on 2026-11-02 08:05:00 UTC by bob.",
        "when it was approved: all 1 guards passed.",
        "right before the call: 1 of 2 guards passed, not member.",
        "The vendor was called on 2026-11-02 08:06:00 UTC.",
        "The member was restored on 2026-11-02 08:50:00 UTC.",
        "(request id req-4711)",
        "State of the candidate: Closed Skipped since 2026-11-02 09:00:00 UTC.",
    ):
        assert sentence in said, sentence


def test_a_candidate_of_which_hardly_anything_is_known_has_a_file_too(db: None) -> None:
    bare = factories.candidate(email="", display_name="", software_model="")
    evidence = opened(bare)
    assert evidence.parts["rule.json"] is None and evidence.parts["attempts.json"] == []
    said = "\n".join(evidence.says)
    assert "no use was known" in said and "Nobody was written to." in said and "No removal was attempted." in said


def test_the_same_facts_give_the_same_file(removed: RemovalCandidate) -> None:
    files = {removal_evidence.write(RemovalCandidate.objects.get(pk=removed.pk), now=minutes(100)) for _ in range(2)}
    assert len(files) == 1


def test_whoever_sees_the_candidate_can_download_its_evidence_and_check_it_offline(
    signed_in: Any, removed: RemovalCandidate, tmp_path: Path, django_db_blocker: Any
) -> None:
    reader = signed_in("sam_user")
    address = f"/removal-candidates/{removed.pk}/evidence-file/"
    assert address in reader.get(removed.get_absolute_url()).content.decode()
    answer = reader.get(address)
    assert answer["Content-Disposition"] == f'attachment; filename="evidence-{removed.number}.zip"'
    entry = AuditEntry.objects.get(verb="downloaded evidence file")
    assert entry.actor_name == "sam_user" and entry.object_id == str(removed.pk) and len(entry.detail["sha256"]) == 64
    path, out = tmp_path / "evidence.zip", io.StringIO()
    path.write_bytes(answer.content)
    with django_db_blocker.block():
        call_command("verify_evidence", str(path), "--key", signatures.signing_key().public.text, stdout=out)
    assert f"Removal candidate {removed.number}" in out.getvalue() and "State of the candidate" in out.getvalue()


def test_without_a_key_there_is_no_file_and_the_page_says_why(signed_in: Any, settings: Any) -> None:
    made, settings.AUDIT_SIGNING_KEY = factories.candidate(), ""
    answer = signed_in("sam_user").get(f"/removal-candidates/{made.pk}/evidence-file/", follow=True)
    assert "AUDIT_SIGNING_KEY is not set" in answer.content.decode()
    assert not AuditEntry.objects.filter(verb="downloaded evidence file").exists()


def test_a_file_of_many_mails_costs_as_many_queries_as_one(signed_in: Any, removed: RemovalCandidate) -> None:
    reader = signed_in("sam_user")
    address = f"/removal-candidates/{removed.pk}/evidence-file/"
    one = pages.cost(reader, address)
    for number in range(10):
        notice(removed, Notice.Kind.REMINDER)
        KeepAnswer.objects.create(candidate=removed, channel="product", at=minutes(number))
        StateChange.objects.create(candidate=removed, to_state=State.READY, at=T0)
    assert pages.cost(reader, address) == one


def test_every_part_is_json_of_texts_and_numbers(removed: RemovalCandidate) -> None:
    parts = removal_evidence.assemble(removed)
    assert all(json.loads(evidence_file.encode_json(part)) is not ... for part in parts.values()) and len(parts) == 10
