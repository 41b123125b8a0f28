"""Remedies in sentences: what each would do, and what it costs."""

from __future__ import annotations

from subscriptions.entitlements.words import write_day
from subscriptions.models import RemediationOption
from subscriptions.usage.amounts import UNKNOWN, write_amount

Kind = RemediationOption.Kind


def describe(option: RemediationOption) -> str:
    """What the remedy would do."""
    rights, them = count_rights(option.rights), "it" if option.rights == 1 else "them"
    sentences = {
        Kind.REMOVE_ALLOCATIONS: f"Take back {rights} allocated to people who have no subscription for {them}.",
        Kind.RECLAIM: f"Reclaim {_subscriptions(option.rights)} that are removal candidates.",
        Kind.PURCHASE: f"Purchase {rights}.",
        Kind.CREATE_ALLOCATIONS: f"Allocate {rights} to people who use one. It changes no compliance.",
    }
    return sentences[Kind(option.kind)]


def describe_cost(option: RemediationOption) -> str:
    """What it costs a year, and until the latest end of what is in force."""
    if option.kind != Kind.PURCHASE:
        return "nothing"
    if option.cost is None:
        return UNKNOWN
    text = f"{write_amount(option.cost, option.currency)} a year"
    if option.until is None or option.cost_until is None:
        return text
    return f"{text}, {write_amount(option.cost_until, option.currency)} until {write_day(option.until)}"


def count_rights(count: int) -> str:
    return f"{count:,} right{'' if count == 1 else 's'}"


def _subscriptions(count: int) -> str:
    return f"{count:,} subscription{'' if count == 1 else 's'}"


def describe_done(count: int, verb: str, problems: list[str]) -> str:
    """What was done, and the first of what was not."""
    done = f"{count_rights(count)} {'was' if count == 1 else 'were'} {verb}."
    return f"{done} {len(problems):,} could not be: {problems[0]}" if problems else done
