"""Rules: their versions, their review, when they observe, and which settings decide on a candidate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from reclamation import workflow
from reclamation.models import ReclamationRule
from reclamation.rules import edit_rule, make_rules, settings_of, versions
from reclamation.states import State
from samsaas.models import AuditEntry
from subscriptions.models import SoftwareModel
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def admin(account: Any) -> User:
    made: User = account("sam_admin")
    return made


def save(rule: ReclamationRule, by: User, **changes: Any) -> ReclamationRule:
    return edit_rule.save(rule, changes, by=by, now=timezone.now())


def test_every_model_gets_one_rule_whose_name_fits() -> None:
    long = factories.software_model(edition="x" * 110)
    factories.software_model(under_management=False)
    assert make_rules.run(timezone.now()) == SoftwareModel.objects.count() == 2
    assert make_rules.run(timezone.now()) == 0
    rule = ReclamationRule.objects.get(software_model=long)
    assert rule.name.startswith("SAM - Reclaim Dropbox Business xxx") and len(rule.name) == 80
    line = AuditEntry.objects.filter(verb="made reclamation rule").first()
    assert line and line.actor_id is None


def test_a_changed_setting_makes_a_version_and_an_audit_line_with_before_and_after(admin: User) -> None:
    rule = factories.rule()
    stored = save(rule, admin, threshold_days=90, notice_days=14)
    assert stored.version == 2 and rule.versions.count() == 2
    newest = rule.versions.get(version=2)
    assert (newest.settings["threshold_days"], newest.by) == (90, admin)
    line = AuditEntry.objects.get(verb="changed reclamation rule")
    assert line.detail["before"] == {"threshold_days": "60", "notice_days": "7"}
    assert line.detail["after"] == {"threshold_days": "90", "notice_days": "14"}


def test_the_name_is_no_setting_and_the_same_value_no_change(admin: User) -> None:
    rule = factories.rule()
    save(rule, admin, name="Ours", threshold_days=60)
    save(rule, admin, name="Ours")
    rule.refresh_from_db()
    assert (rule.name, rule.version, rule.versions.count()) == ("Ours", 1, 1)
    assert AuditEntry.objects.filter(verb="changed reclamation rule").count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold_days": 6},
        {"threshold_days": 731},
        {"undo_days": 8},
        {"notice_days": 0},
        {"remind_before": [7]},
        {"remind_before": ["1"]},
        {"notice_days": 3},
        {"conditions": {"color": ["red"]}},
        {"conditions": {"department": "Sales"}},
        {"conditions": {"profile": ["1"]}},
        {"destination": "named"},
        {"mode": "automatic"},
        {"mode": "sometimes"},
    ],
    ids=str,
)
def test_impossible_settings_are_refused_and_nothing_is_written(admin: User, changes: dict[str, Any]) -> None:
    rule = factories.rule()
    with pytest.raises(ValidationError):
        save(rule, admin, **changes)
    rule.refresh_from_db()
    assert rule.version == 1 and rule.versions.count() == 1 and rule.mode == "propose"


def test_automatic_needs_a_review_and_somebody_who_is_asked(admin: User) -> None:
    rule = factories.rule()
    reviewed = edit_rule.review(rule, by=admin, now=timezone.now(), legal_hold_checked=True)
    assert reviewed.reviewed_by == admin and versions.legal_hold_checked(rule)
    with pytest.raises(ValidationError, match="somebody who is asked"):
        save(rule, admin, mode="automatic", notify_user=False, approver="none")
    save(rule, admin, mode="automatic")
    rule.refresh_from_db()
    assert rule.mode == "automatic" and rule.observe_until and rule.observe_until > timezone.now() + timedelta(days=6)
    assert versions.legal_hold_checked(rule), "the tick of the review goes with the later versions"
    assert [one.version for one in rule.versions.all()] == [3, 2, 1]


@pytest.mark.parametrize(
    ("changes", "observes"),
    [
        ({"threshold_days": 61}, True),
        ({"minimum_age_days": 30}, True),
        ({"conditions": {"country": ["DE"]}}, True),
        ({"include_leavers": False}, True),
        ({"notice_days": 14}, False),
        ({"undo_days": 3}, False),
    ],
    ids=str,
)
def test_an_automatic_rule_observes_after_a_change_of_whom_it_proposes(
    admin: User, changes: dict[str, Any], observes: bool
) -> None:
    for mode in ("automatic", "propose"):
        rule = factories.rule(mode=mode, reviewed_at=timezone.now())
        assert (save(rule, admin, **changes).observe_until is not None) is (observes and mode == "automatic")


def test_a_candidate_without_a_rule_is_decided_by_the_defaults() -> None:
    rule = settings_of(factories.candidate())
    assert rule.pk is None
    assert (rule.threshold_days, rule.notice_days, rule.undo_days, rule.notify_user) == (60, 7, 7, True)


def test_a_candidate_goes_on_with_the_version_its_user_was_asked_under(admin: User) -> None:
    rule = factories.rule(undo_days=7)
    candidate = factories.candidate(rule=rule, rule_version=rule.versions.get())
    save(rule, admin, undo_days=5)
    candidate.refresh_from_db()
    assert settings_of(candidate).undo_days == 5, "nobody was asked yet"
    workflow.apply(candidate, State.AWAITING_USER, reason="Asked", now=timezone.now())
    save(rule, admin, undo_days=0, active=False)
    candidate.refresh_from_db()
    assert (candidate.rule_version.version, settings_of(candidate).undo_days) == (2, 5)
    assert settings_of(candidate).active
    rule.delete()
    candidate.refresh_from_db()
    assert settings_of(candidate).undo_days == 7
