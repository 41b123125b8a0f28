"""What a rule does, in sentences: a resolution rule that is tried, an exclusion rule that is previewed or deleted."""

from __future__ import annotations

from django import template
from django.utils.html import format_html

from samsaas.lib.markup import number
from subscriptions.exclusions import exclude
from subscriptions.matching import try_rule

register = template.Library()


def _subscriptions(count: int) -> str:
    return "subscription" if count == 1 else "subscriptions"


@register.filter
def would_match(preview: try_rule.Trial) -> str:
    """What a resolution rule would find on its own, and whom that would change."""
    found = format_html(
        "<strong>{}</strong> current {} of <strong>{}</strong> {}, were this the only rule.",
        number(preview.seats),
        _subscriptions(preview.seats),
        number(preview.people),
        "person" if preview.people == 1 else "people",
    )
    return format_html("{}{} Nothing is saved.", found, _would_change(preview) if preview.seats else "")


def _would_change(preview: try_rule.Trial) -> str:
    new = f"{number(preview.new)} of them {'has' if preview.new == 1 else 'have'} no user now"
    other = f"{number(preview.other)} {'has' if preview.other == 1 else 'have'} another one by a rule"
    return f" {new}, {other}."


@register.filter
def leaves_out(preview: exclude.ExclusionPreview) -> str:
    """How many listed subscriptions a rule excludes, and how many of them are excluded now."""
    found = format_html("<strong>{}</strong> listed {}", number(preview.total), _subscriptions(preview.total))
    if not preview.already:
        return format_html("{}.", found)
    are = "is" if preview.already == 1 else "are"
    return format_html("{}; {} of them {} excluded now.", found, number(preview.already), are)


@register.filter
def come_back(count: int) -> str:
    """How many subscriptions count again once an exclusion rule is changed."""
    are, come = ("is", "comes") if count == 1 else ("are", "come")
    sentence = "<strong>{}</strong> {} that {} excluded now {} back."
    return format_html(sentence, number(count), _subscriptions(count), are, come)


@register.filter
def count_again(count: int) -> str:
    """How many subscriptions count again once an exclusion rule is deleted."""
    if not count:
        return "No subscription is excluded by this rule only, so none comes back."
    one = count == 1
    sentence = "<strong>{}</strong> {} that only this rule excludes {} again at once, and {} matched again."
    counts, matched = ("counts", "its person is") if one else ("count", "their people are")
    return format_html(sentence, number(count), _subscriptions(count), counts, matched)
