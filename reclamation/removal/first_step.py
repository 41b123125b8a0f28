"""The first step that *Reclaim* takes with a candidate: ask its user, ask an approver, or remove it.

1. The user is asked where the rule says so, unless the user has left or use is not the reason.
2. Else an approver is asked, where the rule names one.
3. Else an attempt is opened. It removes nothing before it has passed the gate twice.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from reclamation import rules, workflow
from reclamation.asking import approve as ask_approver, ask as ask_user, inform, seat_user
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.removal import start

ASK, APPROVE, REMOVE = "ask", "approve", "remove"
LABELS = {ASK: "Ask the user", APPROVE: "Ask an approver", REMOVE: "Remove the account"}
NOBODY_ASKED = "Reclaim was pressed, and the rule asks nobody."


def choose(candidate: RemovalCandidate, now: datetime) -> str:
    """What pressing Reclaim does with this candidate first: ASK, APPROVE or REMOVE."""
    rule = rules.settings_of(candidate)
    if seat_user.asks_user(candidate, now):
        return ASK
    return REMOVE if rule.approver == ReclamationRule.Approver.NONE else APPROVE


def run(candidate: RemovalCandidate, *, by: User | None, now: datetime) -> str:
    """Do the first step with a candidate that is Ready, and say which.

    Raises `ask.NotAsked` where the user or the approver cannot be asked, and `workflow.NotAllowed`.
    """
    step = choose(candidate, now)
    if step == ASK:
        ask_user.run(candidate, by=by, now=now)
    elif step == APPROVE:
        ask_approver.ask(candidate, by=by, now=now)
    else:
        with transaction.atomic():
            workflow.revoke(candidate, reason=NOBODY_ASKED, by=by, now=now)
            inform.run(candidate, now)
            start.approve(candidate, now, by=by)
    return step
