"""The eight states of a removal candidate, and which state may follow which.

Source: "Reclaiming user subscriptions" of the original's documentation.
"""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    ATTENTION_REQUIRED = "attention_required", "Attention Required"
    READY = "ready", "Ready"
    AWAITING_USER = "awaiting_user", "Awaiting User"
    AWAITING_APPROVAL = "awaiting_approval", "Awaiting Approval"
    AWAITING_REVOCATION = "awaiting_revocation", "Awaiting Revocation"
    CLOSED_COMPLETE = "closed_complete", "Closed Complete"
    CLOSED_SKIPPED = "closed_skipped", "Closed Skipped"
    CLOSED_CANCELED = "closed_canceled", "Closed Canceled"


CLOSED = (State.CLOSED_COMPLETE, State.CLOSED_SKIPPED, State.CLOSED_CANCELED)
OPEN = tuple(state for state in State if state not in CLOSED)

# Every open candidate may be skipped by a person or canceled by new activity. Only a removal completes a candidate,
# and a closed one stays closed.
_ENDS = {State.CLOSED_SKIPPED, State.CLOSED_CANCELED}
MOVES: dict[State, set[State]] = {
    State.ATTENTION_REQUIRED: {State.READY, *_ENDS},
    State.READY: {
        State.ATTENTION_REQUIRED,
        State.AWAITING_USER,
        State.AWAITING_APPROVAL,
        State.AWAITING_REVOCATION,
        *_ENDS,
    },
    State.AWAITING_USER: {State.ATTENTION_REQUIRED, State.AWAITING_APPROVAL, State.AWAITING_REVOCATION, *_ENDS},
    State.AWAITING_APPROVAL: {State.ATTENTION_REQUIRED, State.AWAITING_REVOCATION, *_ENDS},
    State.AWAITING_REVOCATION: {State.ATTENTION_REQUIRED, State.CLOSED_COMPLETE, *_ENDS},
    **{state: set() for state in CLOSED},
}
