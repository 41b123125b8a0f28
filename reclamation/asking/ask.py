"""Ask the user of a candidate whether it is still needed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from reclamation import rules, workflow
from reclamation.models import RemovalCandidate


def run(candidate: RemovalCandidate, *, by: User | None, now: datetime) -> None:
    """Move the candidate to Awaiting User. Raises `workflow.NotAllowed`."""
    days = rules.settings_of(candidate).notice_days
    workflow.await_user(candidate, deadline=now + timedelta(days=days), by=by, now=now)
