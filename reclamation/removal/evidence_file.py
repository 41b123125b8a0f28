"""Everything about one removal candidate as one signed file: why, who was asked, who agreed, what was checked and done.

1. Collect the parts: the candidate with its frozen evidence, its rule, its history, mails, answers, approvals, batches,
   and every attempt with the answers of all guards then and at the call.
2. Sum them up in sentences.
3. Sign them, with number and hash of the audit trail's last seal, so that the file also says how long the trail was.

No secret is inside: mails are stored with their link masked, and whatever looks like a link's token or a vendor's token
is masked again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model, Q

from reclamation.models import RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import evidence_sentences
from samsaas.lib import evidence_file, signatures
from samsaas.lib.redaction import redact
from samsaas.sealing import seals

TOKEN_OF_LINK = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}(?=[/?#\s.,;)>\"']|$)")
MASKED = "[masked]"
CANDIDATE = (
    *("number", "profile_name", "display_name", "email", "external_id", "software_model", "reason", "justification"),
    *("note", "person_name", "person_key", "is_leaver", "after_notice", "status_at_opening", "was_admin", "attention"),
    *("state", "hold", "hold_text", "deadline", "opened_at", "closed_at", "evidence"),
)
# What the attempt's row has besides: who works on it now, and the vendor's raw answer, which may hold anything.
NOT_OF_ATTEMPT = {"id", "candidate", "owner", "generation", "lease_until", "error_body"}
NOT_OF_BATCH = {"id", "profile", "run"}


def write(candidate: RemovalCandidate, *, now: datetime) -> bytes:
    """The file. Raises `ImproperlyConfigured` if this installation has no usable key to sign with."""
    key = signatures.signing_key()
    parts = assemble(candidate)
    says = evidence_sentences.sum_up(parts)
    return evidence_file.write(parts, key, subject=f"Removal candidate {candidate.number}", says=says, now=now)


def assemble(candidate: RemovalCandidate) -> dict[str, Any]:
    """The parts by name, as plain values."""
    attempts = candidate.attempts.select_related("restored_by", "profile").order_by("pk")
    in_question = Q(pk=candidate.batch_id) | Q(attempts__candidate=candidate)
    batches = RemovalBatch.objects.filter(in_question).select_related("requested_by", "decided_by").distinct()
    return {
        "candidate.json": _describe_candidate(candidate),
        "rule.json": _describe_rule(candidate),
        "history.json": [
            _pick(one, "from_state", "to_state", "at", "by", "reason") for one in _with_by(candidate.history)
        ],
        "notes.json": [_pick(one, "at", "by", "text") for one in _with_by(candidate.notes)],
        "notices.json": _describe_notices(candidate),
        "answers.json": _describe_answers(candidate),
        "approvals.json": _describe_approvals(candidate),
        "batches.json": [{"number": str(one), **_pick_all(one, NOT_OF_BATCH)} for one in batches.order_by("pk")],
        "attempts.json": [_describe_attempt(attempt) for attempt in attempts],
        "audit_trail.json": _describe_trail(),
    }


def _describe_candidate(candidate: RemovalCandidate) -> dict[str, Any]:
    return {
        **_pick(candidate, *CANDIDATE),
        "opened_by": _plain(candidate.opened_by),
        "assigned_to": _plain(candidate.assigned_to),
        "assignment_group": _plain(candidate.assignment_group),
    }


def _describe_rule(candidate: RemovalCandidate) -> dict[str, Any] | None:
    """The rule as it was when the candidate was opened. None if there was none, or if it is gone."""
    version = candidate.rule_version
    if version is None:
        return None
    return {"name": version.rule.name, **_pick(version, "version", "settings", "by", "at")}


def _describe_notices(candidate: RemovalCandidate) -> list[dict[str, Any]]:
    sent = ("to", "subject", "body", "state", "queued_at", "sent_at", "error")
    return [
        {**_pick(notice, "kind", "expires_at", "used_at"), **_masked(_pick(notice.mail, *sent))}
        for notice in candidate.notices.select_related("mail").order_by("pk")
    ]


def _describe_answers(candidate: RemovalCandidate) -> list[dict[str, Any]]:
    names = ("channel", "reason", "keep_until", "at", "by", "granted")
    return [_pick(answer, *names) for answer in _with_by(candidate.answers)]


def _describe_approvals(candidate: RemovalCandidate) -> list[dict[str, Any]]:
    names = ("question", "asked_of_group", "asked_of_user", "asked_at", "due_at", "answered_by", "answer", "at", "note")
    asked = candidate.approvals.select_related("asked_of_group", "asked_of_user", "answered_by").order_by("pk")
    return [_pick(approval, *names) for approval in asked]


def _describe_attempt(attempt: RemovalAttempt) -> dict[str, Any]:
    """Everything the row says, with every guard's answer, every moment and the vendor's request id."""
    return _redacted({"number": attempt.pk, **_pick_all(attempt, NOT_OF_ATTEMPT)})


def _describe_trail() -> dict[str, Any] | None:
    """The end of the sealed audit trail when this file was made. With it one can tell later if that was cut off."""
    last = seals.last_seal()
    return _pick(last, "number", "hash", "at", "until_pk", "key_id") if last else None


def _with_by(rows: Any) -> Iterable[Any]:
    found: Iterable[Any] = rows.select_related("by").order_by("pk")
    return found


def _pick_all(row: Model, without: set[str]) -> dict[str, Any]:
    return _pick(row, *(field.name for field in row._meta.concrete_fields if field.name not in without))


def _pick(row: Any, *names: str) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    """Accounts, groups and profiles by their names; anything else as it is."""
    return str(value) if isinstance(value, Model) else value


def _masked(value: Any) -> Any:
    """Mails as they were sent, but for what could be a link's token: stored mails have none."""
    return _map_texts(value, lambda text: TOKEN_OF_LINK.sub(MASKED, text))


def _redacted(value: Any) -> Any:
    """What a vendor said, without anything that looks like a token or a secret."""
    return _map_texts(value, redact)


def _map_texts(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_texts(inner, change) for key, inner in value.items()}
    return [_map_texts(inner, change) for inner in value] if isinstance(value, list) else value
