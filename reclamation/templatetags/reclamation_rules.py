"""Rules on pages of others: how many wait for a review, and what their open candidates cost."""

from __future__ import annotations

from typing import Any

from django import template

from reclamation.models import ReclamationRule
from reclamation.rules import figures, slider

register = template.Library()


@register.simple_tag
def unreviewed_rules() -> list[ReclamationRule]:
    """The rules that nobody has reviewed, of software models with current subscriptions. One query."""
    return list(figures.waiting_for_review())


@register.filter
def rule_savings(rule: Any) -> str:
    """What the licenses of its open candidates cost a year; empty where the cost of the software model is not known."""
    amount = figures.savings_of(rule)
    return "" if amount is None else slider.write_money(amount, rule.software_model.currency)


@register.simple_tag
def rule_savings_note(rule: Any) -> str:
    """What closing the candidates of a rule would save, for the tile that counts them."""
    return f"{rule_savings(rule)} a year" if rule_savings(rule) else "the cost of the license is not known"


@register.simple_tag
def money_of(amount: Any, currency: str) -> str:
    """An amount with its currency; empty where it is not known."""
    return "" if amount is None else slider.write_money(amount, currency)
