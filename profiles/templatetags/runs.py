"""A job run in sentences, for its pages: what it does, how it went, and where it stands in the daily refresh."""

from __future__ import annotations

from django import template
from django.utils.html import format_html

from profiles.models import JobRun
from samsaas.templatetags.ui import lasting, number, pill, when

register = template.Library()

SUCCESS: dict[str, str] = {
    JobRun.Process.DOWNLOAD: "The new list is published.",
    JobRun.Process.ACTIVITY: "The activity is read to its end.",
    JobRun.Process.MATCH: "Every seat was matched by the effective rules.",
    JobRun.Process.VALIDATE: "Every enabled process can do its work.",
}
CANCELLED: dict[str, str] = {
    JobRun.Process.DOWNLOAD: "Nothing of it was published; the previous list stays as it is.",
    JobRun.Process.IMPORT: "Nothing was applied; the directory is as it was.",
}


@register.filter
def run_success(run: JobRun) -> str:
    """What a run that succeeded has brought about."""
    if run.process == JobRun.Process.IMPORT:  # reading and applying a file are two runs of one process
        return f"The file was {'read into a preview' if run.counters.get('lines') else 'applied'}."
    return SUCCESS.get(run.process, "This run succeeded.")


@register.filter
def run_cancelled(run: JobRun) -> str:
    """What a run that was cancelled leaves behind."""
    return CANCELLED.get(run.process, "What it stored before stays; the next run goes on from there.")


@register.filter
def run_covers(run: JobRun) -> str:
    """What the time that a pull has read is worth."""
    if run.state == JobRun.State.SUCCEEDED:
        return "This time was read to its end and is covered. Its last day may still get late events."
    return "This time is not covered: only a reading that comes to its end proves anything."


@register.simple_tag
def run_doing(run: JobRun, coming: str = "") -> str:
    """What goes on now, since when, or until when nothing does; `coming` is the next step of the chain."""
    if coming:
        told = format_html("Next: {}", coming)
    elif run.not_before:
        told = format_html("{} {}", run.doing, when(run.not_before))
    else:
        told = format_html("{}", run.doing)
    return format_html("{}, for {}", told, lasting(run.started_at)) if run.state == JobRun.State.RUNNING else told


@register.filter
def run_items(run: JobRun) -> str:
    """How many were read, and of how many, where that is known."""
    if not run.expected_items:
        return number(run.items)
    whose = " the vendor counts" if run.process == JobRun.Process.DOWNLOAD else ""
    return f"{number(run.items)} of {number(run.expected_items)}{whose}"


@register.simple_tag
def run_chain(run: JobRun, coming: str = "") -> str:
    """The steps before and after a run of the daily refresh, as one sentence."""
    first, rest = _following(run, coming)
    if run.after is None:
        return format_html("{}{}", first.capitalize(), rest)
    before = format_html("After {}", _link(run.after))
    return format_html("{}; {}{}", before, first, rest) if first else before


def _following(run: JobRun, coming: str) -> tuple[str, str]:
    """What comes after a run: the first word, which begins a sentence or goes on with one, and the rest."""
    follower: JobRun | None = getattr(run, "followed_by", None)
    if follower is not None:
        shown = pill(follower.state, follower.get_state_display())
        return "followed", format_html(" by {} {}", _link(follower), shown)
    if coming:
        return "next", format_html(": {}, in a moment", coming)
    if run.in_chain and run.state != JobRun.State.SUCCEEDED:
        return "the", " next step follows only its success"
    return "", ""


def _link(run: JobRun) -> str:
    return format_html('<a href="{}">{} #{}</a>', run.get_absolute_url(), run.get_process_display(), run.pk)
