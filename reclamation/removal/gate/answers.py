"""What a guard of the gate answers, and what becomes of an attempt that does not pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
# What becomes of the attempt, the strongest first: a fact that closes a candidate outranks a reason to wait.
ELSEWHERE, CANCELED, SKIPPED, ATTENTION, QUARANTINE, HOLD = (
    *("elsewhere", "canceled", "skipped", "attention", "quarantine", "hold"),
)
ENDS = (ELSEWHERE, CANCELED, SKIPPED, ATTENTION, QUARANTINE, HOLD)


@dataclass(frozen=True)
class GuardAnswer:
    """What one guard found. `end` is what becomes of the attempt unless the answer is a pass.

    `facts` are kept with the answer, so that the second gate can compare.
    """

    answer: str
    detail: str
    end: str = HOLD
    facts: dict[str, Any] = field(default_factory=dict)


def passed(detail: str = "", **facts: Any) -> GuardAnswer:
    return GuardAnswer(PASS, detail, facts=facts)


def failed(detail: str, end: str = HOLD) -> GuardAnswer:
    return GuardAnswer(FAIL, detail, end)


def unknown(detail: str, end: str = HOLD) -> GuardAnswer:
    """A missing answer, which fails like a wrong one."""
    return GuardAnswer(UNKNOWN, detail, end)


@dataclass(frozen=True)
class GateGuard:
    """One guard: its code, its name for people, and how it judges a case."""

    code: str
    label: str
    judge: Callable[[Any], GuardAnswer]


@dataclass(frozen=True)
class GateResult:
    """The answers of every guard about one attempt, and the strongest of those that did not pass.

    `end` is empty when all passed; otherwise `guard` and `text` say which guard, and why.
    """

    answers: Sequence[dict[str, Any]]
    end: str = ""
    guard: str = ""
    text: str = ""

    @property
    def is_pass(self) -> bool:
        return not self.end


def as_json(code: str, finding: GuardAnswer, at: datetime) -> dict[str, Any]:
    """One answer as the attempt keeps it."""
    kept = {"guard": code, "answer": finding.answer, "detail": finding.detail, "at": at.isoformat()}
    return {**kept, **finding.facts}


NOT_ASKED = unknown("Not asked, because another guard failed before.")
