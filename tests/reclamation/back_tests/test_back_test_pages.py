"""The pages of back-tests: what is asked, what is refused and why, what was found, and what real removals did."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import JobRun
from reclamation.models import BackTest, BackTestFinding, RemovalAttempt
from samsaas.models import AuditEntry
from subscriptions.models import ActivityDay, Subscription
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
DAY = timedelta(days=1)


@pytest.fixture
def world() -> SimpleNamespace:
    """A rule with a threshold of 30 days, and a profile whose log was read for 120 days, until now."""
    now = timezone.now()
    profile = factories.profile(display_name="Dropbox Europe", team_id="t1", refreshed_at=now)
    factories.coverage(profile, now - 120 * DAY, now)
    kind = factories.identifier()
    rule = factories.rule(kind.software_model, name="Reclaim it", threshold_days=30, minimum_age_days=30)
    return SimpleNamespace(now=now, today=timezone.localdate(), profile=profile, kind=kind, rule=rule)


def a_seat(world: Any, *ago: int, **fields: Any) -> Subscription:
    """A seat that was used so many days ago."""
    long_ago = world.now - 500 * DAY
    given = {"profile": world.profile, "identifier": world.kind, "assigned_at": long_ago, "first_seen_at": long_ago}
    seat = factories.subscription(**{**given, **fields})
    today = world.now.date()
    rows = [ActivityDay(subscription=seat, day=today - days * DAY, events=1, pull=1) for days in ago]
    ActivityDay.objects.bulk_create(rows)
    return seat


def new_url(world: Any) -> str:
    return f"/reclamation-rules/{world.rule.pk}/back-tests/new/"


def filled(world: Any, **changes: Any) -> dict[str, Any]:
    """The form as it is offered, with changes."""
    form = {
        "threshold_days": "30",
        "minimum_age_days": "30",
        "invited_days": "30",
        "include_never_active": "on",
        "from_on": (world.today - 80 * DAY).isoformat(),
        "to_on": (world.today - 40 * DAY).isoformat(),
        "horizon_days": "30",
    }
    return {name: str(value) for name, value in {**form, **changes}.items() if value is not None}


def start_test(world: Any, client: Any, **changes: Any) -> BackTest:
    answer = client.post(new_url(world), filled(world, **changes))
    assert answer.status_code == 302, answer.context["form"].errors
    return BackTest.objects.latest("pk")


def done_test(world: Any, client: Any, **changes: Any) -> BackTest:
    made = start_test(world, client, **changes)
    worlds.work()
    made.refresh_from_db()
    assert made.is_done
    return made


def test_the_form_begins_with_the_rules_settings_and_the_days_that_are_possible(world: Any, signed_in: Any) -> None:
    a_seat(world)
    form = signed_in("sam_admin").get(new_url(world)).context["form"]
    assert (form["threshold_days"].value(), form["include_leavers"].value()) == (30, True)
    first = timezone.localtime(world.now - 120 * DAY).date() + DAY + 29 * DAY
    last = timezone.localtime(world.now - 3 * DAY).date() - 31 * DAY
    assert (form["from_on"].value(), form["to_on"].value(), form["horizon_days"].value()) == (first, last, 30)
    text = pages.text_of(signed_in("sam_admin", username="b").get(new_url(world)).content.decode())
    assert f"{first:%-d %b %Y} to {last:%-d %b %Y}" in text


def test_a_log_that_is_too_short_says_from_when_on_and_how_to_have_more(world: Any, signed_in: Any) -> None:
    a_seat(world)
    world.profile.coverage.update(since=world.now - 40 * DAY)
    page = signed_in("admin").get(new_url(world)).content.decode()
    text = pages.text_of(page)
    first = timezone.localtime(world.now - 40 * DAY).date() + 30 * DAY
    assert "Not possible yet" in text
    assert f"From {first:%-d %b %Y}, once its horizon is over, about {first + 34 * DAY:%-d %b %Y}" in text
    assert f"/integration-profiles/{world.profile.pk}/further-back/" in page
    assert "further-back" not in signed_in("sam_admin").get(new_url(world)).content.decode()
    answer = signed_in("sam_admin", username="b").post(new_url(world), filled(world))
    assert "no back-test is possible yet" in pages.text_of(answer.content.decode())
    shorter = signed_in("sam_admin", username="c").post(new_url(world), filled(world, threshold_days=7, horizon_days=7))
    assert "The first possible day is" in pages.text_of(shorter.content.decode())
    assert not BackTest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from_on": "in spring"}, "from_on"),
        ({"from_on": None}, "from_on"),
        ({"from_on": -100}, "from_on"),
        ({"from_on": -30}, "from_on"),
        ({"to_on": -81}, "to_on"),
        ({"to_on": 0}, "to_on"),
        ({"to_on": 400}, "to_on"),
        ({"horizon_days": 6}, "horizon_days"),
        ({"horizon_days": 181}, "horizon_days"),
        ({"threshold_days": 6}, "threshold_days"),
        ({"threshold_days": "1e3"}, "threshold_days"),
        ({"minimum_age_days": 731}, "minimum_age_days"),
        ({"invited_days": ""}, "invited_days"),
    ],
    ids=str,
)
def test_impossible_questions_are_refused_by_name(
    world: Any, signed_in: Any, changes: dict[str, Any], field: str
) -> None:
    a_seat(world)
    days = {
        name: (world.today + value * DAY).isoformat() if name.endswith("_on") and isinstance(value, int) else value
        for name, value in changes.items()
    }
    answer = signed_in("sam_admin").post(new_url(world), filled(world, **days))
    assert answer.status_code == 200 and field in answer.context["form"].errors
    assert not BackTest.objects.exists() and not JobRun.objects.exists()


def test_a_back_test_runs_as_a_job_and_says_what_it_found(world: Any, signed_in: Any) -> None:
    for number in range(12):
        a_seat(world, 115, *([70] if number < 3 else []))
    ended = a_seat(world, 115, ended_at=world.now - 70 * DAY)
    client = signed_in("sam_admin")
    made = start_test(world, client, from_on=(world.today - 80 * DAY).isoformat())
    page = client.get(made.get_absolute_url()).content.decode()
    assert "The days are being replayed" in page and "/progress/" in page
    entry = AuditEntry.objects.get(verb="started back-test")
    assert entry.detail["rule"] == "Reclaim it" and entry.detail["settings"]["threshold_days"] == 30
    worlds.work()
    made.refresh_from_db()
    assert made.settings["include_never_active"] is True and made.settings["include_leavers"] is False

    reader = signed_in("sam_user")
    page = reader.get(made.get_absolute_url()).content.decode()
    text = pages.text_of(page)
    assert "25.0 %" in text and "3 of 12 came back within 30 days" in text
    assert "95 % interval: 8.9 % to 53.2 %" in text
    outcomes = pages.rows(page, "Outcome")
    assert {name: row[1] for name, row in outcomes.items()} == {
        "Came back": "3",
        "Stayed unused": "9",
        "Ended without use": "1",
        "Not covered": "0",
        "Too early to tell": "0",
        "Proposed": "13",
    }
    for outcome, number in (("back", 3), ("away", 9), ("ended", 1), ("censored", 1)):
        assert pages.rows_behind(reader, f"{made.get_absolute_url()}?outcome={outcome}") == number
    assert ended.title in reader.get(f"{made.get_absolute_url()}?outcome=censored").content.decode()
    assert "has removed nobody yet" in text
    assert (
        "With other settings" not in text
        and "With other settings" in client.get(made.get_absolute_url()).content.decode()
    )


def test_too_few_are_called_too_few(world: Any, signed_in: Any) -> None:
    a_seat(world, 115, 70)
    client = signed_in("sam_admin")
    made = done_test(world, client)
    text = pages.text_of(client.get(made.get_absolute_url()).content.decode())
    assert "too few to say" in text and "1 of 1 came back" in text and "100.0 %" not in text.split("By day")[0]


def test_nothing_proposed_is_said_too(world: Any, signed_in: Any) -> None:
    a_seat(world, *range(0, 120, 5))
    client = signed_in("sam_admin")
    made = done_test(world, client)
    text = pages.text_of(client.get(made.get_absolute_url()).content.decode())
    assert "Nothing could be counted" in text and "Nothing would have been proposed" in text


def test_who_came_back_can_be_downloaded_and_the_download_is_recorded(world: Any, signed_in: Any) -> None:
    back, away = a_seat(world, 115, 70, display_name="=Back"), a_seat(world, 115)
    made = done_test(world, signed_in("sam_admin"))
    reader = signed_in("sam_user")
    body = reader.get(f"/back-tests/{made.pk}/export/?outcome=back").getvalue().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(body))
    assert row["Display name"] == "'=Back" and row["External user id"] == back.external_id
    assert row["Used again"] == (world.now.date() - 70 * DAY).isoformat()
    assert (row["Used before"], row["What became of it"]) == ((world.now.date() - 115 * DAY).isoformat(), "Came back")
    every = reader.get(f"/back-tests/{made.pk}/export/").getvalue().decode("utf-8-sig")
    assert away.external_id in every and len(list(csv.DictReader(io.StringIO(every)))) == 2
    entry = AuditEntry.objects.filter(verb="exported").latest("pk")
    assert entry.detail["list"] == "back-test findings" and entry.detail["rows"] == 2


def test_the_measured_regret_stands_beside_it(world: Any, signed_in: Any) -> None:
    made_at = world.now - 20 * DAY
    facts: list[dict[str, Any]] = [
        *({} for _ in range(17)),
        {"restored_at": world.now, "state": "restored", "closed_at": world.now},
        {"restored_at": world.now, "regret_at": world.now, "state": "restored", "closed_at": world.now},
        {"regret_at": world.now},
        {"dry_run": True, "restored_at": world.now},
        {"withdrawn_at": None},
    ]
    for number, changes in enumerate(facts):
        seat = a_seat(world, 115, external_id=f"dbmid:removed{number}")
        candidate = factories.candidate(seat, rule=world.rule, state="closed_complete")
        given = {"state": "closed", "closed_at": world.now, "withdrawn_at": made_at, **changes}
        RemovalAttempt.objects.create(
            candidate=candidate,
            vendor="dropbox",
            team_id="t1",
            external_id=seat.external_id,
            opened_at=made_at,
            intent_at=made_at,
            **given,
        )
    reader = signed_in("sam_user")
    text = pages.text_of(reader.get(f"/reclamation-rules/{world.rule.pk}/back-tests/").content.decode())
    assert "Of 20 removals by this rule 2 were restored, and for 2 use from shortly before" in text
    assert "15.0 %" in text and "5.2 % to 36.0 %" in text


def test_another_back_test_can_begin_with_the_settings_of_one(world: Any, signed_in: Any) -> None:
    a_seat(world, 115)
    client = signed_in("sam_admin")
    made = done_test(world, client, threshold_days=20, horizon_days=20)
    form = client.get(f"{new_url(world)}?like={made.pk}").context["form"]
    assert [form[name].value() for name in ("threshold_days", "horizon_days", "from_on")] == [20, 20, made.from_on]
    for nonsense in worlds.nonsense(("like",)):
        assert client.get(f"{new_url(world)}?{nonsense}").status_code == 200


def test_one_that_did_not_come_to_its_end_says_so(world: Any, signed_in: Any) -> None:
    a_seat(world, 115)
    client = signed_in("sam_admin")
    made = start_test(world, client)
    assert made.run
    queue.cancel(made.run, by=client.user)
    text = pages.text_of(client.get(made.get_absolute_url()).content.decode())
    assert "did not come to its end" in text
    assert "Not finished" in client.get(f"/reclamation-rules/{world.rule.pk}/back-tests/").content.decode()
    JobRun.objects.all().delete()
    assert "did not come to its end" in client.get(made.get_absolute_url()).content.decode()


def test_the_list_shows_every_back_test_of_the_rule_and_of_no_other(world: Any, signed_in: Any) -> None:
    a_seat(world, 115)
    client = signed_in("sam_admin")
    address = f"/reclamation-rules/{world.rule.pk}/back-tests/"
    assert "No back-test yet" in client.get(address).content.decode()
    first, second = done_test(world, client), done_test(world, client)
    other = factories.rule()
    page = client.get(address).content.decode()
    assert first.get_absolute_url() in page and second.get_absolute_url() in page
    assert "No back-test yet" in client.get(f"/reclamation-rules/{other.pk}/back-tests/").content.decode()
    rule = client.get(world.rule.get_absolute_url()).content.decode()
    assert address in rule and first.get_absolute_url() in rule


def test_pages_cost_the_same_for_one_row_and_for_thirty(world: Any, signed_in: Any) -> None:
    client = signed_in("sam_admin")
    a_seat(world, 115)
    made = done_test(world, client)
    listed = f"/reclamation-rules/{world.rule.pk}/back-tests/"
    addresses = (made.get_absolute_url(), f"/back-tests/{made.pk}/export/", listed, new_url(world))
    one = [pages.cost(client, address) for address in addresses]
    seats = [a_seat(world, 115) for _ in range(29)]
    BackTestFinding.objects.bulk_create(
        BackTestFinding(back_test=made, subscription=seat, on=made.from_on, reason="idle", outcome="away")
        for seat in seats
    )
    for _ in range(29):
        BackTest.objects.create(
            rule=world.rule,
            settings=made.settings,
            from_on=made.from_on,
            to_on=made.to_on,
            figures=made.figures,
            at=world.now,
            by=client.user,
            run=made.run,
        )
    for number in range(5):
        profile = factories.profile(display_name=f"Another {number}", team_id=f"t{number + 2}")
        factories.coverage(profile, world.now - 100 * DAY, world.now)
        a_seat(world, profile=profile)
    assert [pages.cost(client, address) for address in addresses] == one


def test_nonsense_in_the_address_is_no_error(world: Any, signed_in: Any) -> None:
    made = BackTest.objects.create(
        rule=world.rule,
        settings={**{name: getattr(world.rule, name) for name in BackTest.SETTINGS}},
        from_on=date(2026, 1, 1),
        to_on=date(2026, 1, 1),
        figures={
            "proposed": 0,
            "censored": 0,
            "back": 0,
            "away": 0,
            "ended": 0,
            "gap": 0,
            "not_settled": 0,
            "days": [["2026-01-01", 0, 0, 0]],
            "reasons": {},
        },
        at=world.now,
    )
    reader = signed_in("sam_user")
    for query in worlds.nonsense(("outcome", "reason", "on", "sort", "page", "per_page")):
        assert reader.get(f"{made.get_absolute_url()}?{query}").status_code == 200, query
        assert reader.get(f"/back-tests/{made.pk}/export/?{query}").status_code == 200, query


def test_the_names_go_with_the_profile_and_the_figures_stay(world: Any, signed_in: Any) -> None:
    from profiles import delete_profile  # noqa: PLC0415

    client = signed_in("admin")
    a_seat(world, 115, 70)
    made = done_test(world, client)
    delete_profile.run(world.profile, by=client.user)
    assert not BackTestFinding.objects.exists()
    text = pages.text_of(client.get(made.get_absolute_url()).content.decode())
    assert "1 of 1 came back" in text
