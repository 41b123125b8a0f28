"""A job run in sentences, for its pages: what it does, how it went, and where it stands in the daily refresh."""

from __future__ import annotations

from django import template
from django.utils.html import format_html

from profiles.models import JobRun
from samsaas.lib.markup import number, pill
from samsaas.templatetags.ui import lasting, when

register = template.Library()


@register.simple_tag
def run_doing(run: JobRun, coming: str = "") -> str:
    """What goes on now, since when, or until when nothing does; `coming` is the next step of the chain."""
    if coming:
        doing = format_html("Next: {}", coming)
    elif run.not_before:
        doing = format_html("{} {}", run.doing, when(run.not_before))
    else:
        doing = format_html("{}", run.doing)
    return format_html("{}, for {}", doing, lasting(run.started_at)) if run.state == JobRun.State.RUNNING else doing


@register.filter
def run_items(run: JobRun) -> str:
    """How many were read, and of how many, where that is known. An estimate is not shown once all of them are here."""
    note = run.declared.expected_note
    is_over = run.state == JobRun.State.SUCCEEDED and run.items == run.expected_items
    if not run.is_total_known or (note and is_over):
        return number(run.items)
    return f"{number(run.items)} of {number(run.expected_items)}{f' {note}' if note else ''}"


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
