"""In words: why nothing is known of the use of a seat, why not all of it is, and why a reading was not believed."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from samsaas.lib.person_zone import describe_moment
from subscriptions.activity.coverage import intervals
from subscriptions.activity.coverage.reach import STALE
from subscriptions.models import Subscription

SWITCHED_OFF = "Pull user activity is switched off for its profile."
NEVER_READ = "The log of its team has not been read to a believable end yet."


def doubted_run(profile: IntegrationProfile) -> JobRun | None:
    """The last complete pull of the profile, if its reading was not believed."""
    last = profile.runs.filter(process=base.ACTIVITY, state=JobRun.State.SUCCEEDED).order_by("-pk").first()
    return last if last and last.facts.get("doubts") else None


def why_not_covered(seat: Subscription, now: datetime) -> str:
    """Why nothing is known of a seat's use until now; empty if something is."""
    profile = seat.profile
    if profile.team_since and seat.known_since < profile.team_since:
        return (
            f"It was listed by another team. The profile has been connected to {profile.team_name or profile.team_id} "
            f"since {_day(profile.team_since)}, and that team has not listed it."
        )
    read = intervals.of_team(profile)
    if not read:
        return NEVER_READ if profile.pull_activity else SWITCHED_OFF
    if now - read[-1].until > STALE:
        until = f"The log was last read until {_moment(read[-1].until)}."
        return until if profile.pull_activity else f"{until} {SWITCHED_OFF}"
    if seat.known_since > read[-1].known_by and seat.read_from is None:
        return (
            f"It, or a name of it that the log holds, has been known since {_moment(seat.known_since)}, after the log "
            "was read. The next pull reads the log again for it."
        )
    return ""


def why_only_since(seat: Subscription, vouched_from: datetime) -> str:
    """Why a seat's use is known only from a moment on."""
    if seat.read_from and seat.read_from >= vouched_from:
        return f"The log was read for it only from {_day(vouched_from)} on."
    return f"The log was read without a gap only from {_day(vouched_from)} on."


def _day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%-d %b %Y}"


def _moment(moment: datetime) -> str:
    return describe_moment(moment)
