"""Changing a rule: the form, what it refuses, the preview of who enters and leaves, saving, and the review."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from reclamation.assess import explain
from reclamation.models import Exemption, ReclamationRule
from reclamation.reasons import Decision
from reclamation.rules import edit_rule, preview_change, versions
from reclamation.rules.scope import read_scope
from reclamation.states import State
from samsaas.models import AuditEntry
from subscriptions.models import Subscription
from tests import factories, pages, worlds
from tests.reclamation.test_sql_and_python_agree import ZONES, Dice, make_world

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def sam_admin(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def world() -> SimpleNamespace:
    """Seats idle for 20, 45, 70 and 100 days; the last one of Sales, the one before of IT."""
    now = timezone.now()
    profile = factories.profile(display_name="Europe", refreshed_at=now, team_id="t1")
    factories.coverage(profile, now - timedelta(days=400), now)
    model = factories.software_model(cost_override=Decimal("120.50"), currency="EUR")
    kind = factories.identifier(software_model=model)
    old = now - timedelta(days=500)
    seats = []
    for idle in (20, 45, 70, 100):
        seat = factories.subscription(
            profile=profile, identifier=kind, assigned_at=old, first_seen_at=old, display_name=f"Idle {idle}"
        )
        factories.activity(seat, now - timedelta(days=idle))
        seats.append(seat)
    for seat, department in zip(seats[2:], ("IT", "Sales"), strict=True):
        factories.match(seat, factories.person(department=department))
    return SimpleNamespace(now=now, profile=profile, model=model, rule=factories.rule(model, name="Ours"), seats=seats)


def filled_in(client: Any, rule: ReclamationRule, **changes: Any) -> dict[str, Any]:
    """The form of the rule as a browser would send it, with these fields changed; None unticks a box."""
    page = client.get(f"{rule.get_absolute_url()}edit/").context["form"]
    values: dict[str, Any] = {}
    for name, field in page.fields.items():
        value = page[name].value()
        if isinstance(value, bool):
            value = "on" if value else None
        values[name] = field.prepare_value(value) if value is not None else None
    values |= changes
    return {name: value for name, value in values.items() if value is not None}


def post(client: Any, rule: ReclamationRule, step: str = "preview", **changes: Any) -> Any:
    return client.post(f"{rule.get_absolute_url()}edit/", filled_in(client, rule, **changes) | {"step": step})


def text(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def press(client: Any, answer: Any, step: str) -> Any:
    """Press a button of the preview: what the page holds is sent again."""
    form = re.search(r'<form method="post" novalidate>.*?</form>', answer.content.decode(), flags=re.DOTALL)
    assert form
    held: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[0]):
        held.setdefault(name, []).append(value)
    held.pop("csrfmiddlewaretoken", None)
    return client.post(answer.request["PATH_INFO"], held | {"step": step})


# --- the preview ----------------------------------------------------------------------------------------------------
def test_the_preview_names_who_enters_and_who_leaves_and_saves_nothing(sam_admin: Any, world: Any) -> None:
    answer = post(sam_admin, world.rule, threshold_days="30")
    page = text(answer)
    assert "Threshold: 60 days → 30 days" in page and "Proposed 2 → 3 of 4 subscriptions" in page
    assert "361.50 EUR before the change 241 EUR" in page
    assert "Enter: 1" in page and "Idle 45" in page and "Leave: 0" in page
    world.rule.refresh_from_db()
    assert (world.rule.threshold_days, world.rule.version) == (60, 1)
    saved = press(sam_admin, answer, "save")
    assert saved["Location"] == world.rule.get_absolute_url()
    world.rule.refresh_from_db()
    assert (world.rule.threshold_days, world.rule.version) == (30, 2)
    assert AuditEntry.objects.get(verb="changed reclamation rule").detail["after"] == {"threshold_days": "30"}


def test_sums_per_reason_add_up_to_all_subscriptions_before_and_after(sam_admin: Any, world: Any) -> None:
    factories.subscription(profile=world.profile, identifier=world.seats[0].identifier, is_admin=True)
    answer = post(sam_admin, world.rule, threshold_days="90", limit_department=["Sales"])
    rows = pages.rows(answer.content.decode(), "Reason")
    assert rows == {
        "Proposed: idle": ["2", "1", "−1"],
        "Active": ["2", "0", "−2"],
        "Conditions do not match": ["0", "3", "+3"],
        "Vendor admin": ["1", "1", ""],
        "Total": ["5", "5", ""],
    }


@pytest.mark.parametrize("seed", range(12))
def test_in_random_worlds_the_preview_says_what_the_find_would_say_before_and_after(seed: int) -> None:
    with timezone.override(ZONES[seed % len(ZONES)]):
        dice = Dice(seed)
        make_world(dice)
        rule = ReclamationRule.objects.get()
        wanted = dice.rule()
        wanted.pop("conditions")
        wanted |= {"mode": "propose", "observe_until": None}
        after = ReclamationRule.objects.get()
        for name, value in wanted.items():
            setattr(after, name, value)
        preview = preview_change.run(rule, after, read_scope(rule, dice.now))
        seats = list(Subscription.objects.listed().filter(identifier__software_model=rule.software_model_id))
        before = {seat.pk: explain(seat.pk, dice.now, ignore_candidate=True).decision for seat in seats}
        ReclamationRule.objects.filter(pk=rule.pk).update(**wanted)
        then = {seat.pk: explain(seat.pk, dice.now, ignore_candidate=True).decision for seat in seats}
    out = Decision.NO
    enters = {key for key in before if before[key] == out != then[key]}
    leaves = {key for key in before if before[key] != out == then[key]}
    assert sum(row.before for row in preview.rows) == sum(row.after for row in preview.rows) == len(seats)
    assert ({one.pk for one in preview.enters}, preview.entering) == (enters, len(enters))
    assert ({one.pk for one in preview.leaves}, preview.leaving) == (leaves, len(leaves))
    assert (preview.before, preview.after) == tuple(
        sum(decision != out for decision in one.values()) for one in (before, then)
    )


def test_the_csv_has_everybody_while_the_page_names_fifty(sam_admin: Any, world: Any) -> None:
    for number in range(60):
        seat = factories.subscription(
            profile=world.profile,
            identifier=world.seats[0].identifier,
            assigned_at=world.now - timedelta(days=500),
            display_name="=cmd()" if number == 7 else f"Enters {number:02}",
        )
        factories.activity(seat, world.now - timedelta(days=45))
    answer = post(sam_admin, world.rule, threshold_days="30")
    assert "Enter: 61" in text(answer) and "The first 50 by name. The CSV has all 61." in text(answer)
    file = press(sam_admin, answer, "export")
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    assert len(rows) == 61 and {row["Enters or leaves"] for row in rows} == {"enters"}
    assert {row["Reason before"] for row in rows} == {"Active"} and {row["Reason after"] for row in rows} == {
        "Proposed: idle"
    }
    assert "'=cmd()" in {row["Display name"] for row in rows}
    line = AuditEntry.objects.get(verb="exported")
    assert (line.detail["rows"], line.detail["filters"]) == (61, {"rule": "Ours"})


def test_it_says_which_open_candidates_a_find_would_close_and_which_go_on(sam_admin: Any, world: Any) -> None:
    found = [factories.candidate(seat, rule=world.rule) for seat in world.seats[2:]]
    type(found[1]).objects.filter(pk=found[1].pk).update(state=State.AWAITING_USER)
    page = text(post(sam_admin, world.rule, threshold_days="200"))
    assert "The next find closes 1 open candidate as skipped" in page
    assert "1 open candidate of those that leave go on" in page
    found[0].delete()
    world.profile.coverage.update(since=world.now - timedelta(days=80))
    page = text(post(sam_admin, world.rule, threshold_days="90"))
    assert "1 open candidate of those that leave go on" in page
    assert "The next find closes" not in page, "where nothing is known, a candidate stays"
    assert "Activity was not read for all of 90 days" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"limit_department": ["Marketing"]}, "No subscription matches the limits"),
        ({"limit_profile": "the only one"}, "Every subscription matches the limits"),
        ({"threshold_days": "7", "minimum_age_days": "0"}, "It would propose every subscription"),
        ({"threshold_days": "300"}, "It would propose nobody"),
        ({"active": None}, "The rule will be off"),
        ({"notice_days": "2", "remind_before": "1"}, "The user has only 2 days to answer"),
        ({"notice_days": "1", "remind_before": ""}, "The user has only 1 day to answer"),
        ({"undo_days": "0"}, "no removal can be undone"),
        ({"wipe_devices": "on"}, "cannot be brought back"),
        ({}, "Nothing: the settings are those that are stored."),
    ],
    ids=str,
)
def test_the_preview_says_what_deserves_a_second_thought(
    sam_admin: Any, world: Any, changes: dict[str, Any], words: str
) -> None:
    factories.person(department="Marketing")
    if "limit_profile" in changes:
        changes = {"limit_profile": [str(world.profile.pk)]}
    assert words in text(post(sam_admin, world.rule, **changes))


def test_a_rule_that_is_off_keeps_its_row_and_can_be_switched_on_again(sam_admin: Any, world: Any) -> None:
    press(sam_admin, post(sam_admin, world.rule, active=None), "save")
    world.rule.refresh_from_db()
    assert not world.rule.active and world.rule.versions.count() == 2
    page = text(sam_admin.get(world.rule.get_absolute_url()))
    assert "This rule is off" in page
    press(sam_admin, post(sam_admin, world.rule, active="on"), "save")
    world.rule.refresh_from_db()
    assert world.rule.active


# --- what the form refuses --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"threshold_days": "6"}, "7 to 730 days are possible."),
        ({"threshold_days": "731"}, "7 to 730 days are possible."),
        ({"threshold_days": "-60"}, "7 to 730 days are possible."),
        ({"threshold_days": "9" * 5000}, "Enter a whole number."),
        ({"threshold_days": ""}, "This field is required."),
        ({"minimum_age_days": "sixty"}, "Enter a whole number."),
        ({"invited_days": "366"}, "7 to 365 days are possible."),
        ({"undo_days": "8"}, "0 to 7 days are possible."),
        ({"notice_days": "0"}, "1 to 60 days are possible."),
        ({"notice_days": "3"}, "reminders are possible on 1 to 2 days before the end"),
        ({"notice_days": "1", "remind_before": "1"}, "One day to answer leaves no room for a reminder."),
        ({"remind_before": "soon"}, "Write days as numbers"),
        ({"remind_before": "0"}, "reminders are possible on 1 to 6 days before the end"),
        ({"cool_down_days": "731"}, "0 to 730 days are possible."),
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"mode": "sometimes"}, "sometimes is not one of the available choices."),
        ({"mode": "automatic"}, "A person has to review the rule before it may act automatically."),
        ({"approver": "the king"}, "not one of the available choices"),
        ({"assignment_group": "99999"}, "not one of the available choices"),
        ({"limit_department": ["Nowhere"]}, "One of these values is gone."),
        ({"limit_profile": ["99999"]}, "One of these values is gone."),
        ({"destination": "named"}, "Find the account that receives the files, and choose it."),
        (
            {"destination": "named", "destination_external_id": "dbmid:nobody"},
            "No listed subscription has this account.",
        ),
    ],
    ids=lambda one: str(one)[:50],
)
def test_impossible_settings_are_refused_with_a_reason_and_nothing_is_lost(
    sam_admin: Any, world: Any, changes: dict[str, Any], words: str
) -> None:
    answer = post(sam_admin, world.rule, **{"cool_down_days": "77", **changes})
    page = text(answer)
    assert words in page and "Save these settings?" not in page
    assert "cool_down_days" in changes or 'value="77"' in answer.content.decode()
    refused = post(sam_admin, world.rule, step="save", **changes)
    world.rule.refresh_from_db()
    assert refused.status_code == 200 and world.rule.version == 1


def test_files_go_only_to_an_account_that_is_active_verified_and_stays(sam_admin: Any, world: Any) -> None:
    named = {"destination": "named"}
    cases = (
        ({"status": "suspended", "email_verified": True}, "is suspended"),
        ({"status": "active", "email_verified": False}, "is not verified"),
        ({"status": "active", "email_verified": True, "ended_at": world.now}, "No listed subscription"),
    )
    for fields, words in cases:
        seat = factories.subscription(profile=world.profile, display_name="Zoe", **fields)
        page = text(post(sam_admin, world.rule, **named, destination_external_id=seat.external_id))
        assert words in page
    zoe = factories.subscription(profile=world.profile, display_name="Zoe Ok", email_verified=True)
    chosen = {**named, "destination_external_id": zoe.external_id}
    candidate = factories.candidate(zoe)
    assert "is a removal candidate itself" in text(post(sam_admin, world.rule, **chosen))
    candidate.delete()
    answer = post(sam_admin, world.rule, **chosen)
    assert f"Chosen account: none → Zoe Ok ({zoe.email})" in text(answer)
    press(sam_admin, answer, "save")
    world.rule.refresh_from_db()
    assert (world.rule.destination, world.rule.destination_external_id) == ("named", zoe.external_id)
    other = factories.profile(display_name="Asia", team_id="t2")
    factories.subscription(profile=other, identifier=world.seats[0].identifier)
    assert "Asia does not have the chosen account" in text(post(sam_admin, world.rule))
    press(sam_admin, post(sam_admin, world.rule, destination="manager"), "save")
    world.rule.refresh_from_db()
    assert world.rule.destination_external_id == ""


def test_an_account_is_found_by_search_and_all_else_stays_filled_in(sam_admin: Any, world: Any) -> None:
    zoe = factories.subscription(profile=world.profile, display_name="Zoe Nguyen", email_verified=True)
    factories.subscription(profile=world.profile, display_name="Zoe Unverified")
    answer = post(
        sam_admin, world.rule, step="find", find_destination_external_id="zoe", threshold_days="8x", name="New"
    )
    markup = answer.content.decode()
    assert f'value="{zoe.external_id}"' in markup and "Zoe Unverified" not in markup
    assert 'value="New"' in markup and 'value="8x"' in markup and "1 found. Choose one." in markup
    nothing = post(sam_admin, world.rule, find_destination_external_id="nobody at all")
    assert "No active account with a verified address matches." in text(nothing)


def test_of_few_values_all_are_offered_and_of_many_those_that_a_search_finds(sam_admin: Any, world: Any) -> None:
    form = sam_admin.get(f"{world.rule.get_absolute_url()}edit/").context["form"]
    assert [value for value, _ in form["limit_department"].field.choices] == ["IT", "Sales"]
    for number in range(80):
        factories.person(department=f"Department {number:02}", cost_center=f"C{number:03}", country="DE")
    answer = post(sam_admin, world.rule, step="find", find_department="ment 0", limit_department=["Sales", "Gone"])
    page = text(answer)
    assert "10 found. Tick what you want." in page
    choices = [value for value, _ in answer.context["form"]["limit_department"].field.choices]
    assert choices == ["Sales", *(f"Department {number:02}" for number in range(10))]
    assert answer.context["form"]["limit_department"].value() == ["Sales", "Gone"]
    assert "More than 50 match" in text(post(sam_admin, world.rule, step="find", find_cost_center="c"))
    assert "Nothing matches." in text(post(sam_admin, world.rule, find_cost_center="%"))
    saved = post(sam_admin, world.rule, limit_department=["Sales", "Department 79"], limit_cost_center=["C007"])
    assert "Department: added Sales, Department 79" in text(saved)
    press(sam_admin, saved, "save")
    world.rule.refresh_from_db()
    assert world.rule.conditions == {"department": ["Sales", "Department 79"], "cost_center": ["C007"]}


def test_a_value_that_nobody_has_any_more_can_be_kept_or_taken_out(sam_admin: Any, world: Any) -> None:
    ReclamationRule.objects.filter(pk=world.rule.pk).update(conditions={"department": ["Closed down"], "profile": [99]})
    markup = sam_admin.get(f"{world.rule.get_absolute_url()}edit/").content.decode()
    assert 'value="Closed down"' in markup and "99, which is gone" in markup
    assert "Nothing: the settings" in text(post(sam_admin, world.rule))
    press(sam_admin, post(sam_admin, world.rule, limit_department=[], limit_profile=[]), "save")
    world.rule.refresh_from_db()
    assert world.rule.conditions == {}


@pytest.mark.parametrize("junk", ["\x00", "a\x00b", "\ud800", "x" * 3000, "'; DROP TABLE x; --", "<script>"], ids=ascii)
def test_junk_in_the_searches_and_choices_is_answered_by_the_page(sam_admin: Any, world: Any, junk: str) -> None:
    data = filled_in(sam_admin, world.rule)
    names = ("find_department", "find_destination_external_id", "limit_department", "destination_external_id", "name")
    for name in names:
        try:
            answer = sam_admin.post(f"{world.rule.get_absolute_url()}edit/", data | {name: junk, "step": "preview"})
        except UnicodeEncodeError:
            continue  # a browser cannot send it
        assert answer.status_code in (200, 400) and b"<script>alert" not in answer.content


# --- mode automatic, the password, and people who save at the same time ----------------------------------------------
def test_automatic_needs_a_review_somebody_who_is_asked_and_the_password(sam_admin: Any, world: Any) -> None:
    edit_rule.review(world.rule, by=sam_admin.user, now=timezone.now())
    lonely = post(sam_admin, world.rule, mode="automatic", notify_user=None, approver="none")
    assert "Automatic needs somebody who is asked" in text(lonely)
    answer = post(sam_admin, world.rule, mode="automatic")
    assert "It will only observe for 7 days" in text(answer)
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        asked = press(sam_admin, answer, "save")
        assert "Your password" in text(asked)
        world.rule.refresh_from_db()
        assert world.rule.mode == "propose"
        held = re.search(r'name="held_form" value="([^"]+)"', asked.content.decode())
        assert held
        data = {"held_form": held[1], "password_again": "a long password"}
        assert sam_admin.post(f"{world.rule.get_absolute_url()}edit/", data).status_code == 302
    world.rule.refresh_from_db()
    assert world.rule.mode == "automatic" and world.rule.observe_until


@pytest.mark.parametrize(("changes", "asked"), [({"wipe_devices": "on"}, True), ({"undo_days": "3"}, False)], ids=str)
def test_wiping_devices_asks_for_the_password_and_a_plain_change_does_not(
    sam_admin: Any, world: Any, changes: dict[str, str], asked: bool
) -> None:
    answer = post(sam_admin, world.rule, **changes)
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        assert ("Your password" in text(press(sam_admin, answer, "save"))) is asked


def test_whoever_saves_second_is_told_what_the_first_one_changed_and_loses_nothing(
    sam_admin: Any, account: Any, world: Any
) -> None:
    ann = account("sam_admin", username="ann")
    answer = post(sam_admin, world.rule, undo_days="3", name="Mine")
    edit_rule.save(world.rule, {"threshold_days": 90}, by=ann, now=timezone.now())
    late = press(sam_admin, answer, "save")
    page = text(late)
    assert late.status_code == 409 and "ann saved this rule while you filled in the form" in page
    assert "Threshold: 60 days → 90 days" in page
    assert 'value="Mine"' in late.content.decode()
    world.rule.refresh_from_db()
    assert (world.rule.undo_days, world.rule.name) == (7, "Ours")
    again = {name: late.context["form"][name].value() for name in ("version", "opened_name", "undo_days", "name")}
    press(sam_admin, post(sam_admin, world.rule, **again), "save")
    world.rule.refresh_from_db()
    assert (world.rule.undo_days, world.rule.name, world.rule.threshold_days) == ("3" and 3, "Mine", 90)


def test_a_new_name_is_not_overwritten_by_a_form_that_was_opened_before(
    sam_admin: Any, account: Any, world: Any
) -> None:
    answer = post(sam_admin, world.rule, undo_days="3")
    edit_rule.save(world.rule, {"name": "Better"}, by=account("sam_admin", username="ann"), now=timezone.now())
    assert "Name: Ours → Better" in text(press(sam_admin, answer, "save"))
    world.rule.refresh_from_db()
    assert (world.rule.name, world.rule.undo_days) == ("Better", 7)


# --- the review -----------------------------------------------------------------------------------------------------
def test_a_review_needs_a_look_at_where_files_go_and_keeps_what_was_said_of_legal_holds(
    sam_admin: Any, world: Any
) -> None:
    path = f"{world.rule.get_absolute_url()}review/"
    page = text(sam_admin.get(path))
    assert "60 days without use" in page and "nobody: it is not known which administrator connected" in page
    opened = {"version": "1", "opened_name": "Ours"}
    refused = sam_admin.post(path, opened | {"legal_hold": "on"})
    assert "Look at where the files go, and tick." in text(refused)
    world.rule.refresh_from_db()
    assert world.rule.reviewed_at is None
    sam_admin.post(path, opened | {"legal_hold": "on", "destination_is_right": "on"})
    world.rule.refresh_from_db()
    assert world.rule.reviewed_by == sam_admin.user and versions.legal_hold_checked(world.rule)
    assert AuditEntry.objects.get(verb="reviewed reclamation rule").detail["legal_hold_checked"] is True
    assert "The reviewer said that no legal hold is known." in text(sam_admin.get(world.rule.get_absolute_url()))


def test_a_rule_that_changed_while_it_was_read_is_not_reviewed(sam_admin: Any, world: Any) -> None:
    path = f"{world.rule.get_absolute_url()}review/"
    edit_rule.save(world.rule, {"undo_days": 0}, by=sam_admin.user, now=timezone.now())
    answer = sam_admin.post(path, {"version": "1", "opened_name": "Ours", "destination_is_right": "on"}, follow=True)
    assert "Read it again as it is now" in text(answer)
    world.rule.refresh_from_db()
    assert world.rule.reviewed_at is None


def test_after_a_review_later_changes_are_listed_until_they_are_reviewed_too(sam_admin: Any, world: Any) -> None:
    edit_rule.review(world.rule, by=sam_admin.user, now=timezone.now())
    assert "Changed since" not in text(sam_admin.get(world.rule.get_absolute_url()))
    edit_rule.save(world.rule, {"undo_days": 2}, by=sam_admin.user, now=timezone.now())
    assert "Changed since its review" in text(sam_admin.get(world.rule.get_absolute_url()))
    page = text(sam_admin.get(f"{world.rule.get_absolute_url()}review/"))
    assert "Changed since the review of" in page and "Undo: 7 days → 2 days" in page and "Notify user" not in page
    edit_rule.review(world.rule, by=sam_admin.user, now=timezone.now())
    assert "Changed since" not in text(sam_admin.get(world.rule.get_absolute_url()))


def test_the_preview_costs_as_many_statements_for_four_as_for_fifty(sam_admin: Any, world: Any) -> None:
    def cost() -> int:
        from django.db import connection  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        data = filled_in(sam_admin, world.rule, threshold_days="30", limit_department=["Sales"])
        with CaptureQueriesContext(connection) as asked:
            sam_admin.post(f"{world.rule.get_absolute_url()}edit/", data | {"step": "preview"})
        return len(asked)

    factories.match(world.seats[1], factories.person(department="Sales"))
    factories.candidate(world.seats[0], rule=world.rule)
    cost()
    before = cost()
    for number in range(46):
        seat = factories.subscription(
            profile=world.profile,
            identifier=world.seats[0].identifier,
            assigned_at=world.now - timedelta(days=500),
        )
        factories.activity(seat, world.now - timedelta(days=45 + number))
        factories.match(seat, factories.person(department="Sales" if number % 2 else "IT"))
        factories.candidate(seat, rule=world.rule)
    assert cost() == before


def test_nonsense_for_a_step_shows_the_preview(sam_admin: Any, world: Any) -> None:
    for step in worlds.NASTY.values():
        assert sam_admin.post(f"{world.rule.get_absolute_url()}edit/", {"step": step}).status_code == 200
    assert Exemption.objects.count() == 0
