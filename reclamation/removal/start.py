"""Open the attempt at a removal that has been approved."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from reclamation.models import RemovalAttempt, RemovalCandidate


class NoProfile(Exception):
    """The candidate's profile was deleted, so there is no vendor to remove it at."""


def approve(candidate: RemovalCandidate, now: datetime) -> RemovalAttempt:
    """The attempt of a candidate in Awaiting Revocation, in the state *approved*.

    Where another profile of the team has an open attempt at the same member, it is that one. Raises `NoProfile`.
    """
    profile = candidate.profile
    if profile is None:
        raise NoProfile
    try:
        with transaction.atomic():
            return RemovalAttempt.objects.create(
                candidate=candidate,
                batch=candidate.batch,
                profile=profile,
                vendor=profile.vendor,
                team_id=profile.team_id,
                external_id=candidate.external_id,
                email=candidate.email,
                opened_at=now,
            )
    except IntegrityError:
        attempts = RemovalAttempt.objects.filter(vendor=profile.vendor, team_id=profile.team_id)
        return attempts.get(external_id=candidate.external_id, closed_at=None, dry_run=False)
