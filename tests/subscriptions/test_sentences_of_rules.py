"""What the pages say of a rule that is tried, saved or deleted."""

from __future__ import annotations

from typing import Any

import pytest

from subscriptions.exclusions.exclude import ExclusionPreview, Share
from subscriptions.matching.try_rule import Trial
from subscriptions.templatetags import rules

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("preview", "sentence"),
    [
        (
            Trial(),
            "<strong>0</strong> current subscriptions of <strong>0</strong> people, were this the only rule. "
            "Nothing is saved.",
        ),
        (
            Trial(seats=1, people=1, new=1, other=0),
            "<strong>1</strong> current subscription of <strong>1</strong> person, were this the only rule. "
            "1 of them has no user now, 0 have another one by a rule. Nothing is saved.",
        ),
        (
            Trial(seats=1200, people=3, new=2, other=1),
            "<strong>1,200</strong> current subscriptions of <strong>3</strong> people, were this the only rule. "
            "2 of them have no user now, 1 has another one by a rule. Nothing is saved.",
        ),
    ],
    ids=("none", "one", "many"),
)
def test_a_resolution_rule_that_is_tried_says_what_would_change(preview: Trial, sentence: str) -> None:
    assert rules.would_match(preview) == sentence


def share(count: int, already: int) -> Any:
    return Share(profile=None, count=count, listed=10, already=already)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "already", "sentence"),
    [
        (1, 0, "<strong>1</strong> listed subscription."),
        (5, 0, "<strong>5</strong> listed subscriptions."),
        (5, 1, "<strong>5</strong> listed subscriptions; 1 of them is excluded now."),
        (5, 2, "<strong>5</strong> listed subscriptions; 2 of them are excluded now."),
    ],
)
def test_an_exclusion_rule_says_how_many_it_leaves_out(count: int, already: int, sentence: str) -> None:
    assert rules.leaves_out(ExclusionPreview(True, [share(count, already)], 0, [])) == sentence


def test_a_changed_exclusion_rule_says_how_many_come_back() -> None:
    assert rules.come_back(1) == "<strong>1</strong> subscription that is excluded now comes back."
    assert rules.come_back(2) == "<strong>2</strong> subscriptions that are excluded now come back."


def test_deleting_an_exclusion_rule_says_how_many_count_again() -> None:
    assert rules.count_again(0) == "No subscription is excluded by this rule only, so none comes back."
    assert rules.count_again(1) == (
        "<strong>1</strong> subscription that only this rule excludes counts again at once, "
        "and its person is matched again."
    )
    assert rules.count_again(3) == (
        "<strong>3</strong> subscriptions that only this rule excludes count again at once, "
        "and their people are matched again."
    )
