"""What the evidence of a find rests on: the team, the app, and since when the activity is known.

When that changes, a rule in mode automatic observes for a week before it acts again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from reclamation.rules import edit_rule
from reclamation.sums import FIND
from reclamation.terms import RuleBook, Standing

FACT = "ground"


def read_ground(profile: IntegrationProfile, standing: Standing) -> dict[str, Any]:
    """The ground now, as a run keeps it."""
    apps = profile.alias.credentials.filter(purpose=base.SUBSCRIPTIONS).values_list("client_id", flat=True)
    reaches = standing.knowledge.reaches
    return {
        "team": profile.team_id,
        "app": apps.first() or "",
        "covered_since": reaches[0].since.isoformat() if reaches else None,
    }


def observe_if_changed(profile: IntegrationProfile, found: dict[str, Any], rules: RuleBook, now: datetime) -> None:
    """Compare the ground with that of the last find, and let automatic rules observe if it changed."""
    finds = JobRun.objects.for_process(FIND).filter(profile=profile, state=JobRun.State.SUCCEEDED)
    last = finds.order_by("-pk").first()
    why = _why_changed(last.facts.get(FACT), found) if last else ""
    if why:
        edit_rule.observe_again([terms.rule for terms, _ in rules.by_rule()], why=f"{profile}: {why}", now=now)


def _why_changed(before: dict[str, Any] | None, found: dict[str, Any]) -> str:
    if before is None:
        return ""
    if before["team"] != found["team"]:
        return "It is connected to another team."
    if before["app"] != found["app"]:
        return "It is connected through another app."
    return "A gap in its activity was closed." if _has_closed_gap(before, found) else ""


def _has_closed_gap(before: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether time counts as known that the last find did not know."""
    since = found["covered_since"]
    if since is None:
        return False
    earlier = before["covered_since"]
    return earlier is None or datetime.fromisoformat(since) < datetime.fromisoformat(earlier)
