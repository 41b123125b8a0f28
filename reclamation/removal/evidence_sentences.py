"""What an evidence file says, in sentences, from its parts alone. Times are UTC."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from reclamation.models import Approval, KeepAnswer, Notice, RemovalAttempt, RemovalCandidate
from reclamation.reasons import Reason
from reclamation.states import State

# By the moment that a call led to: the column with the vendor's request id of that call.
REQUESTS = {
    "called_at": "withdraw_request_id",
    "moved_at": "move_request_id",
    "restored_at": "restore_request_id",
}

Parts = dict[str, Any]


def sum_up(parts: Parts) -> list[str]:
    """Who it is about, why, who was asked and agreed, what was checked and done, and how it stands."""
    candidate = parts["candidate.json"]
    return [
        _describe_seat(candidate),
        _describe_opening(candidate, parts["rule.json"]),
        _describe_use(candidate["evidence"]),
        _describe_notices(parts["notices.json"]),
        *(_describe_answer(answer) for answer in parts["answers.json"]),
        *(_describe_approval(approval) for approval in parts["approvals.json"]),
        *(sentence for attempt in parts["attempts.json"] for sentence in _describe_attempt(attempt)),
        *([] if parts["attempts.json"] else ["No removal was attempted."]),
        _describe_standing(candidate),
    ]


def _describe_seat(candidate: Parts) -> str:
    name = candidate["display_name"] or candidate["email"] or candidate["external_id"]
    product = candidate["software_model"] or "software that was not recognized"
    return (
        f"{candidate['number']} is about {name} ({candidate['email'] or 'no address'}, external id "
        f"{candidate['external_id']}) in {candidate['profile_name']}, with {product}."
    )


def _describe_opening(candidate: Parts, rule: Parts | None) -> str:
    by = candidate["opened_by"] or "samsaas"
    cause = f" by the rule “{rule['name']}”, version {rule['version']}" if rule else ""
    label = dict(Reason.choices).get(candidate["reason"], candidate["reason"])
    reason = f", for the reason “{label}”" if label else ""
    justification = RemovalCandidate.Justification(candidate["justification"]).label
    return f"It was opened on {_moment(candidate['opened_at'])} by {by}{cause}{reason} ({justification})."


def _describe_use(evidence: Parts) -> str:
    at, days = evidence.get("last_activity"), evidence.get("inactive_days")
    used = f"the last known use was on {_moment(at)}" if at else "no use was known"
    covered = "the time since was read to its end" if evidence.get("covered") else "the time since was not read"
    least = "" if evidence.get("exact", True) else "at least "
    idle = f", {least}{days} days without use" if days is not None else ""
    return f"When it was opened, {used}{idle}; {covered}."


def _describe_notices(notices: list[Parts]) -> str:
    if not notices:
        return "Nobody was written to."
    kinds = Counter(Notice.Kind(one["kind"]).label for one in notices if one["sent_at"])
    sent = ", ".join(f"{kind} ({count})" for kind, count in kinds.items())
    unsent = len(notices) - sum(kinds.values())
    return f"Mails that were sent: {sent or 'none'}. Mails that were not: {unsent}."


def _describe_answer(answer: Parts) -> str:
    channel = KeepAnswer.Channel(answer["channel"]).label.lower()
    granted = {True: "granted", False: "refused", None: "not decided"}[answer["granted"]]
    return f"On {_moment(answer['at'])} somebody asked to keep it, {channel}. That was {granted}."


def _describe_approval(approval: Parts) -> str:
    question = Approval.Question(approval["question"]).label
    if not approval["answer"]:
        return f"“{question}” was asked on {_moment(approval['asked_at'])} and has no answer."
    answer = Approval.Answer(approval["answer"]).label.lower()
    return f"“{question}” was {answer} on {_moment(approval['at'])} by {approval['answered_by'] or 'somebody'}."


def _describe_attempt(attempt: Parts) -> list[str]:
    name = f"Attempt {attempt['number']}" + (" (dry run)" if attempt["dry_run"] else "")
    moments = [
        ("called_at", "The vendor was called"),
        ("withdrawn_at", "The member was removed"),
        ("freed_at", "The license was free"),
        ("moved_at", "The files were moved"),
        ("restored_at", "The member was restored"),
        ("closed_at", "The attempt ended"),
    ]
    said = [
        _describe_gate(f"{name}, when it was approved", attempt["gate_at_approval"]),
        _describe_gate(f"{name}, right before the call", attempt["gate_at_call"]),
    ]
    happened = [(key, text) for key, text in moments if attempt[key]]
    said += [f"{name}: {text} on {_moment(attempt[key])}{_request(attempt, key)}." for key, text in happened]
    if not attempt["called_at"]:
        said.append(f"{name}: The vendor was not called.")
    if attempt["error_message"]:
        number = f" (request id {attempt['error_request_id']})" if attempt["error_request_id"] else ""
        said.append(f"{name}: The last error was: {attempt['error_message']}{number}")
    return [*said, f"{name}: State {RemovalAttempt.State(attempt['state']).label}."]


def _request(attempt: Parts, moment: str) -> str:
    """The vendor's request id of the call that did it, as far as it is known."""
    number = attempt.get(REQUESTS.get(moment, ""))
    return f" (request id {number})" if number else ""


def _describe_gate(when: str, answers: list[Parts]) -> str:
    if not answers:
        return f"{when}: no guard was asked."
    failed = [str(one.get("guard", "")) for one in answers if one.get("answer") != "pass"]
    if not failed:
        return f"{when}: all {len(answers)} guards passed."
    return f"{when}: {len(answers) - len(failed)} of {len(answers)} guards passed, not {', '.join(failed)}."


def _describe_standing(candidate: Parts) -> str:
    closed = f" since {_moment(candidate['closed_at'])}" if candidate["closed_at"] else ""
    return f"State of the candidate: {State(candidate['state']).label}{closed}."


def _moment(value: datetime | str) -> str:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
