"""Ask the gate about attempts of one profile: all of a batch at once, or one of them right before its call.

1. Read what is stored, and judge the switch, the connection and the scopes.
2. Ask the vendor which team this is. Another team, or another time, and nothing else is asked.
3. Wait until the vendor can be asked about members without a pause. If that, or the answer, took long, read what is
   stored again: it may have changed.
4. Judge what is stored of each attempt. What fails is not asked about.
5. Ask the vendor about the others, and judge its answers.

Of the guards that do not pass, the strongest end counts: a fact that closes a candidate before a reason to wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt
from reclamation.removal.gate import connection, member, stored
from reclamation.removal.gate.answers import ENDS, NOT_ASKED, PASS, GateGuard, GateResult, GuardAnswer, as_json
from reclamation.removal.gate.case import Case, load
from reclamation.removal.vendor import VendorAccess

READ_AGAIN = timedelta(seconds=1)  # older than this, what is stored is read once more before it is judged
Judged = list[tuple[GateGuard, GuardAnswer]]
LABELS = {
    guard.code: guard.label
    for guard in (*connection.STORED, *connection.asked(connection.Line()), *stored.GUARDS, *member.GUARDS)
}


def run(
    attempts: Sequence[RemovalAttempt], profile: IntegrationProfile, vendor: VendorAccess, *, now: datetime
) -> list[tuple[Case, GateResult]]:
    """What the gate says of each attempt, in their order.

    Raises `base.ConnectorError` if the vendor cannot be asked.
    """
    cases = load(attempts, profile, now=now)
    can_ask = any(_all_pass(_judge(case, connection.STORED)) for case in cases)
    line = _reach(vendor) if can_ask else connection.Line()
    if not timedelta(0) <= timezone.now() - now <= READ_AGAIN:
        cases = load(attempts, profile, now=timezone.now())
    judged: dict[int, Judged] = {case.attempt.pk: _judge(case, connection.STORED) for case in cases}
    passing = [case for case in cases if _all_pass(judged[case.attempt.pk])]
    for case in passing:
        judged[case.attempt.pk] += _judge(case, connection.asked(line))
    passing = [case for case in passing if _all_pass(judged[case.attempt.pk])]
    for case in passing:
        judged[case.attempt.pk] += _judge(case, stored.GUARDS)
    passing = [case for case in passing if _all_pass(judged[case.attempt.pk])]
    asked = vendor.ask_about(passing) if passing else {}
    at = timezone.now()
    found = []
    for case in cases:
        if case.attempt.pk in asked:
            case = replace(case, asked=asked[case.attempt.pk])  # noqa: PLW2901 - the same case, knowing more
            judged[case.attempt.pk] += _judge(case, member.GUARDS)
        found.append((case, _conclude(judged[case.attempt.pk], at)))
    return found


def _reach(vendor: VendorAccess) -> connection.Line:
    """Which team this is. Afterwards the questions about members need not wait for the pace of the calls."""
    answer = vendor.team()
    vendor.make_room()
    return connection.Line(answer.team_ids, answer.clock_skew)


def _judge(case: Case, guards: Iterable[GateGuard]) -> Judged:
    return [(guard, guard.judge(case)) for guard in guards]


def _all_pass(judged: Judged) -> bool:
    return all(finding.answer == PASS for _, finding in judged)


def _conclude(judged: Judged, at: datetime) -> GateResult:
    answers = _with_unasked(judged, at)
    failing = [(guard, finding) for guard, finding in judged if finding.answer != PASS]
    if not failing:
        return GateResult(answers)
    guard, finding = min(failing, key=lambda pair: ENDS.index(pair[1].end))
    return GateResult(answers, finding.end, guard.code, finding.detail)


def _with_unasked(judged: Judged, at: datetime) -> list[dict[str, Any]]:
    """One answer for every guard, also for those that were not asked."""
    given = {guard.code: finding for guard, finding in judged}
    return [as_json(code, given.get(code, NOT_ASKED), at) for code in LABELS]
