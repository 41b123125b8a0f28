"""The back-tests of a rule, for its own page."""

from __future__ import annotations

from django import template

from reclamation.back_tests.tables import rate_of
from reclamation.models import BackTest, ReclamationRule

register = template.Library()
LATEST = 5


@register.simple_tag
def back_tests_of(rule: ReclamationRule) -> list[BackTest]:
    """The latest back-tests of a rule, newest first."""
    return list(BackTest.objects.filter(rule=rule).select_related("run")[:LATEST])


@register.filter
def regret(test: BackTest) -> str:
    """The regret of a back-test, or how far it is."""
    if test.is_done:
        return rate_of(test).percent
    return "At work" if test.is_at_work else "Not finished"
