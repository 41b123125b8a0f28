"""The activity coverage of a profile as a drawing, for pages of other apps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.db.models import prefetch_related_objects
from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from profiles.notices import ProfileNotice
from subscriptions.activity import pull_earlier
from subscriptions.activity.coverage import intervals, reasons, timeline

register = template.Library()

# A pull comes once a day. Until it is clearly late, the time since the last one is no reason for a notice.
LATE_AFTER = timedelta(hours=36)
# State -> label, meaning, fill, and distance of its band from the top, so that states differ by more than color.
STATES = {
    "settled": ("Settled", "read to its end, and again three days later", "fill-good", 0),
    "fresh": ("Fresh", "read, late events may still come", "fill-info", 3.5),
    "gap": ("Gap", "not read, or not believed: unknown, never inactive", "fill-warn", 7.5),
}

GAPS = ProfileNotice(
    "warn", "Activity is not covered throughout", "Time that was not read counts as unknown, never as inactive."
)


@register.simple_tag
def coverage_of(profile: IntegrationProfile) -> dict[str, Any]:
    """The drawing with its legend.

    `gaps` are worth a notice; `only_waits` says that all of them end with the next pull.
    """
    now = timezone.now()
    known = timeline.time_line_with_days(profile, now)
    drawn, start = [], 0.0
    for stretch in known["stretches"]:
        drawn.append(_draw_stretch(stretch, start))
        start += stretch.share
    legend = [_legend_entry(state, days) for state, days in known["days"].items()]
    gaps = _gaps_to_show(known["stretches"], profile, now)
    read = intervals.of_team(profile)
    return {
        "stretches": drawn,
        "legend": legend,
        "since": known["stretches"][0].since if known["stretches"] else now,
        "read_until": read[-1].until if read else None,
        "final_until": read[-1].settled_until if read else None,
        "can_go_back": not pull_earlier.refusal(profile, now),
        "doubted": reasons.doubted_run(profile),
        "words": "Activity coverage: " + ", ".join(f"{one['label'].lower()} {one['days']}" for one in legend),
        "gaps": gaps,
        "only_waits": all(one.until >= now for one in gaps),
    }


@register.simple_tag
def add_gaps(profiles: Sequence[IntegrationProfile]) -> str:
    """Add a notice to the `notices` of each profile that has a gap worth one. One query for all; prints nothing."""
    now = timezone.now()
    pulling = [one for one in profiles if one.pull_activity and one.status == IntegrationProfile.Status.PUBLISHED]
    prefetch_related_objects(pulling, "coverage")
    for profile in pulling:
        if _gaps_to_show(timeline.time_line(profile, now), profile, now):
            profile.notices.append(GAPS)  # type: ignore[attr-defined]
    return ""


def _gaps_to_show(
    stretches: list[timeline.Stretch], profile: IntegrationProfile, now: datetime
) -> list[timeline.Stretch]:
    return [one for one in stretches if one.state == "gap" and _is_worth_a_notice(one, profile, now)]


def _is_worth_a_notice(gap: timeline.Stretch, profile: IntegrationProfile, now: datetime) -> bool:
    """A gap before the last pull always is; the time since the last pull only if the next one is late."""
    return gap.until < now or (profile.activity_refreshed_at is not None and gap.until - gap.since > LATE_AFTER)


def _draw_stretch(stretch: timeline.Stretch, start: float) -> dict[str, Any]:
    label, _, fill, top = STATES[stretch.state]
    return {
        "label": label,
        "since": stretch.since,
        "until": stretch.until,
        "days": _days_text((stretch.until - stretch.since).total_seconds() / 86400),
        "fill": fill,
        "start": f"{start:.3f}",
        "width": f"{stretch.share:.3f}",
        "top": f"{top:g}",
        "height": f"{10 - top:g}",
    }


def _legend_entry(state: str, days: float) -> dict[str, Any]:
    label, meaning, fill, top = STATES[state]
    return {
        "label": label,
        "meaning": meaning,
        "days": _days_text(days),
        "fill": fill,
        "swatch_top": f"{1.2 * top:g}",
        "swatch_height": f"{12 - 1.2 * top:g}",
    }


def _days_text(days: float) -> str:
    if days < 1:
        return f"{24 * days:.0f} h"
    return f"{days:.1f}".removesuffix(".0") + (" day" if days == 1 else " days")


@register.filter
def run_covers(run: JobRun) -> str:
    """What the time that a pull has read is worth."""
    if run.state == JobRun.State.SUCCEEDED and run.facts.get("doubts"):
        return "This time was read to its end, but not all of it is believed; the warnings say why."
    if run.state == JobRun.State.SUCCEEDED:
        if run.process == pull_earlier.PULL_EARLIER:
            return "This time was read to its end and is covered, in one piece with what was known before."
        return "This time was read to its end and is covered. Its last three days may still get late events."
    return "This time is not covered: only a reading that comes to its end proves anything."
