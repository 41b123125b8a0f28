"""Why a seat is proposed or not, in words that a stranger understands, with the day on which that changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from reclamation.assess import Explanation
from reclamation.models import ReclamationRule
from reclamation.reasons import Decision, Reason, as_verdict
from reclamation.sentences import MEANINGS, PROPOSED, REFUSED, explain_in_words, label_verdict

pytestmark = pytest.mark.one_database

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
RULE = ReclamationRule(threshold_days=60, minimum_age_days=30, invited_days=30, made_at=NOW)


def known(decision: str, reason: str, **fields: Any) -> Explanation:
    seat = {"keep_until": date(2026, 9, 27), "restored_at": None, "returned_at": NOW, "suspended_at": NOW}
    left = SimpleNamespace(person=SimpleNamespace(left_on=date(2026, 6, 26)))
    facts: dict[str, Any] = {
        "notes": (),
        "inactive_days": 90,
        "rule": RULE,
        "used_since": datetime(2026, 5, 2, tzinfo=UTC),
        "covered_since": datetime(2026, 6, 8, tzinfo=UTC),
        "covered_until": datetime(2026, 6, 28, tzinfo=UTC),
        "last_use": datetime(2026, 4, 1, 9, tzinfo=UTC),
        "began": datetime(2026, 6, 10, 9, tzinfo=UTC),
        "seat": SimpleNamespace(**seat, match=left),
    }
    return Explanation(decision=Decision(decision), reason=Reason(reason), **{**facts, **fields})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (known("no", "kept"), "Not proposed. A person decided to keep it until 27 Sep 2026."),
        (known("no", "active"), "last used on 1 Apr 2026. Without further use it is idle on 31 May 2026."),
        (
            known("no", "gap"),
            "since 8 Jun 2026, and its rule needs it since 2 May 2026. If no gap follows, that is so on 6 Aug 2026.",
        ),
        (known("no", "gap", covered_since=datetime(2026, 6, 8, 1, tzinfo=UTC)), "that is so on 7 Aug 2026."),
        (known("no", "too_new"), "It began on 10 Jun 2026; its rule looks at it from 10 Jul 2026 on, after 30 days."),
        (known("no", "too_new", last_use=None), "from 9 Aug 2026 on, after 60 days."),
        (known("no", "invitation_recent"), "invited on 10 Jun 2026; the rule proposes it from 10 Jul 2026 on."),
        (known("no", "restored"), "again on 30 Jun 2026, which starts a fresh clock that ends on 29 Aug 2026."),
        (known("no", "suspended_recently"), "It was suspended on 30 Jun 2026; its rule waits until 29 Aug 2026."),
        (known("no", "stale_activity"), "Activity was last read until 28 Jun 2026, more than 24 hours ago."),
        (known("no", "stale_activity", covered_until=None), "has not been read for it until now"),
        (
            known("propose", "idle"),
            "proposes it: last used on 1 Apr 2026, 90 days ago; its rule proposes after 60 days.",
        ),
        (known("propose", "idle", inactive_days=None), "no use since 8 Jun 2026, and before that not all"),
        (known("propose", "leaver"), "its user left the company on 26 Jun 2026."),
        (known("observe", "never_active", last_use=None), "only observes at present. It would be proposed: never used"),
        (known("propose", "suspended"), "suspended, and last used on 1 Apr 2026"),
        (known("propose", "invited"), "invited on 10 Jun 2026, and never accepted."),
    ],
    ids=lambda value: value.reason.value if isinstance(value, Explanation) else "",
)
def test_the_sentence_names_the_facts_and_the_day_of_change(facts: Explanation, words: str) -> None:
    assert words in explain_in_words(facts, NOW)


def test_the_day_that_a_sentence_promises_is_the_day_on_which_it_is_so() -> None:
    """A gap that ended at midnight of 8 June is out of the 60 days on 6 August, and not before."""
    from reclamation.terms import Terms  # noqa: PLC0415

    since = datetime(2026, 6, 8, tzinfo=UTC)
    day = datetime(2026, 8, 6, 12, tzinfo=UTC)
    assert since <= Terms.at(RULE, day).used_since and not since <= Terms.at(RULE, day - timedelta(days=1)).used_since


def test_every_reason_has_words_everywhere() -> None:
    assert set(MEANINGS) == set(Reason) == set(REFUSED) | set(PROPOSED)
    for reason in REFUSED:
        assert explain_in_words(known("no", reason.value), NOW).startswith("Not proposed. ")
    assert label_verdict(as_verdict(Decision.PROPOSE, Reason.IDLE)) == "Proposed: idle"
    assert label_verdict(as_verdict(Decision.NO, Reason.TOO_NEW)) == "Too new"
