"""Job results: finding runs, what one says, its place in the chain, run again and cancel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs import figures
from profiles.models import JobRun
from profiles.models.run import VALIDATE
from reclamation.find_candidates import FIND
from reclamation.reexamine import REEXAMINE
from samsaas.models import AuditEntry
from samsaas.schedule import DAILY_ORDER
from subscriptions.rematch import MATCH
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def found(client, query: str) -> int:
    return pages.rows_behind(client, f"/runs/?{query}")


def page_of(client, run: JobRun) -> str:
    return client.get(run.get_absolute_url()).content.decode()


def run_of(process: str) -> JobRun:
    return JobRun.objects.filter(process=process).latest("pk")


def test_runs_are_found_by_profile_process_trigger_state_and_day(integrator):
    now = timezone.now()
    one, other = factories.profile(), factories.profile()
    factories.run(profile=one, process=base.ACTIVITY, trigger="chain", state="failed", created_at=now)
    factories.run(profile=one, trigger="manual", created_at=now - timedelta(days=3))
    factories.run(profile=other, trigger="schedule", created_at=now - timedelta(days=10))
    day = timezone.localtime(now).date()
    assert found(integrator, f"profile={one.pk}") == 2
    assert found(integrator, f"process={base.ACTIVITY}") == 1 == found(integrator, "trigger=manual")
    assert found(integrator, "state=succeeded") == 2 == found(integrator, f"since={day - timedelta(days=5)}")
    assert found(integrator, f"until={day - timedelta(days=5)}") == 1
    assert found(integrator, f"profile={one.pk}&trigger=chain&state=failed&since={day}&until={day}") == 1


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-13-45", "trigger=nonsense", "since=0001-01-01"])
def test_a_filter_that_makes_no_sense_is_left_out_and_no_error(integrator, query):
    factories.run()
    assert integrator.get(f"/runs/?{query}").status_code == 200


def test_the_list_tells_duration_retries_and_throttled_time_and_sorts_by_them(integrator):
    now = timezone.now()
    slow = factories.run(started_at=now, finished_at=now + timedelta(minutes=3), retries=4, throttled_seconds=75)
    quick = factories.run(started_at=now, finished_at=now + timedelta(seconds=2))
    rows = pages.rows(integrator.get("/runs/?sort=lasted").content.decode(), "Number")
    assert list(rows) == [f"#{quick.pk}", f"#{slow.pk}"]
    assert rows[f"#{slow.pk}"][-3:] == ["3 min 00 s", "4", "1 min 15 s"]
    assert rows[f"#{quick.pk}"][-3:] == ["2.0 s", "0", "none"]
    assert integrator.get("/runs/?sort=-throttled_seconds").status_code == 200


def test_a_chain_can_be_followed_in_both_directions(integrator, connected):
    worlds.work_on()
    first, second, third = (run_of(process) for process in (base.DOWNLOAD, MATCH, base.ACTIVITY))
    assert f'by <a href="/runs/{second.pk}/">Match people #{second.pk}</a>' in page_of(integrator, first)
    middle = page_of(integrator, second)
    assert f'After <a href="/runs/{first.pk}/">' in middle and f'by <a href="/runs/{third.pk}/">' in middle


def test_a_pull_says_what_time_it_covered_and_what_counted(integrator, connected):
    worlds.work_on()
    run = run_of(base.ACTIVITY)
    told = pages.text_of(page_of(integrator, run))
    assert "Coverage after this run Read from" in told and "This time was read to its end and is covered" in told
    assert "reading" not in [label.lower() for label, _ in figures.moments_of(run)]
    labels = {figure.label: figure.value for figure in figures.figures_of(run)}
    assert labels["Events read"] == run.counters["read"] > labels["Counted as use"] > 0
    assert labels["Of known subscriptions"] + labels["Of no known subscription"] == labels["Counted as use"]


def test_a_pull_that_broke_off_does_not_claim_its_time(integrator, connected):
    worlds.work_on()
    JobRun.objects.filter(process=base.ACTIVITY).update(state="failed")
    assert "This time is not covered" in page_of(integrator, run_of(base.ACTIVITY))


@pytest.mark.parametrize("process", [*DAILY_ORDER, VALIDATE])
def test_every_counter_of_every_process_has_a_meaning(connected, process):
    worlds.work_on()
    run = run_of(process)
    unexplained = set(run.counters) - set(run.declared.counters)
    assert run.counters and unexplained == set()


def test_the_seats_without_a_person_lead_to_their_work_list(integrator, connected):
    worlds.work_on()
    run = run_of(MATCH)
    figure = next(figure for figure in figures.figures_of(run) if figure.label == "Without a user")
    assert figure.value == run.counters["without_user"] and figure.url.endswith(f"?profile={connected.pk}")
    assert figure.url.startswith("/subscriptions-without-user/")


def test_a_failure_shows_the_vendors_request_id_and_the_remedy(integrator):
    run = factories.run(state="failed", error_message="No.", error_remedy="Ask.", error_request_id="req-77")
    page = page_of(integrator, run)
    assert "req-77" in page and "Ask." in page


@pytest.mark.parametrize(("in_chain", "following"), [(True, [MATCH, base.ACTIVITY, REEXAMINE, FIND]), (False, [])])
def test_run_again_repeats_the_process_and_what_followed_it(integrator, connected, in_chain, following):
    worlds.work_on()
    old = run_of(base.DOWNLOAD)
    JobRun.objects.filter(pk=old.pk).update(in_chain=in_chain)
    assert f"/runs/{old.pk}/again/" in page_of(integrator, old)
    answer = integrator.post(f"/runs/{old.pk}/again/")
    again = run_of(base.DOWNLOAD)
    assert again.pk != old.pk and answer["Location"] == again.get_absolute_url() and again.trigger == "manual"
    assert [run.process for run in worlds.work_on()] == [base.DOWNLOAD, *following]
    assert AuditEntry.objects.filter(verb="requested run", object_id=str(again.pk)).exists()


@pytest.mark.parametrize("process", [*DAILY_ORDER[1:], VALIDATE])
def test_every_step_can_be_run_again(integrator, connected, process):
    worlds.work_on()
    integrator.post(f"/runs/{run_of(process).pk}/again/")
    assert worlds.work()[0].process == process and run_of(process).state == "succeeded"


def test_what_cannot_run_again_offers_no_button_and_says_why_when_asked(integrator, draft):
    run = factories.run(profile=draft, state="failed")
    assert "Run again" not in page_of(integrator, run)
    page = integrator.post(f"/runs/{run.pk}/again/", follow=True).content.decode()
    assert "not connected yet" in page and JobRun.objects.count() == 1
    unknown = factories.run(profile=draft, process="from_a_later_version", state="failed")
    assert "does not know this process" in integrator.post(f"/runs/{unknown.pk}/again/", follow=True).content.decode()


def test_a_run_of_a_deleted_profile_cannot_run_again(integrator):
    run = factories.run(state="failed")
    JobRun.objects.update(profile=None)
    assert "Run again" not in page_of(integrator, run)
    assert "was deleted" in integrator.post(f"/runs/{run.pk}/again/", follow=True).content.decode()


def test_while_a_run_goes_on_its_badge_follows_it_and_so_does_the_profiles_page(integrator, connected):
    run = run_of(base.DOWNLOAD)
    assert 'id="run-state"' in page_of(integrator, run)
    JobRun.objects.filter(pk=run.pk).update(state="running", step="Listing members")
    swapped = integrator.get(f"/runs/{run.pk}/progress/").content.decode()
    badge = swapped.partition('id="run-state" hx-swap-oob="true">')[2].partition("</span></span>")[0]
    assert "Running" in badge and page_of(integrator, run).count('id="run-state"') == 1
    integrator.post(f"/runs/{run.pk}/cancel/")
    for path in (connected.get_absolute_url(), run.get_absolute_url(), f"/runs/{run.pk}/progress/?brief"):
        page = integrator.get(path).content.decode()
        assert "Canceling at the next page" in page and "Listing members" not in page, path


def test_a_run_reads_the_same_whatever_direction_its_profiles_name_is_written_in(integrator):
    name = "\u062f\u0631\u0648\u0628\u0628\u0648\u0643\u0633"
    run = factories.run(profile=factories.profile(display_name=name))
    assert str(run) == f"Download subscriptions #{run.pk}, {name}", "nothing follows the name that it could turn around"


def test_a_queued_run_is_canceled_from_its_page_and_ends_its_chain(integrator, connected):
    run = run_of(base.DOWNLOAD)
    integrator.post(f"/runs/{run.pk}/cancel/")
    assert worlds.work_on() == [] and run_of(base.DOWNLOAD).state == "canceled"
    assert not JobRun.objects.filter(process=MATCH).exists()


def test_confirming_a_held_download_goes_on_with_people_and_events(integrator, connected):
    worlds.work()
    JobRun.objects.filter(process=base.DOWNLOAD).update(state="held")
    integrator.post(f"/runs/{run_of(base.DOWNLOAD).pk}/confirm/")
    assert tuple(run.process for run in worlds.work_on()) == DAILY_ORDER


def test_a_held_run_is_confirmed_only_until_a_later_one_has_ended(integrator, connected):
    """What an old run showed is not what would end now."""
    worlds.work()
    old = run_of(base.DOWNLOAD)
    JobRun.objects.filter(pk=old.pk).update(state="held", error_message="20 are missing.")
    assert f"/runs/{old.pk}/confirm/" in page_of(integrator, old)
    for state in ("held", "succeeded"):
        later = factories.run(profile=connected, process=base.DOWNLOAD, state=state)
        page = page_of(integrator, old)
        assert f"/runs/{old.pk}/confirm/" not in page and "A later run has ended since" in page
        answer = integrator.post(f"/runs/{old.pk}/confirm/", follow=True)
        assert "There is nothing to confirm any more" in answer.content.decode()
        assert not JobRun.objects.filter(accept_drop=True).exists()
        later.delete()
    factories.run(profile=connected, process=base.DOWNLOAD, state="failed")
    assert f"/runs/{old.pk}/confirm/" in page_of(integrator, old), "a failed run showed nothing else"
