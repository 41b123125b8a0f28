"""Validate Connection on the profile's page: the button, what it found, the banners, and what a switch changes."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault
from profiles.models import Credential, IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from profiles.models.run import VALIDATE, declared_processes
from samsaas.models import AuditEntry
from subscriptions.models import ActivityCoverage
from tests import factories, pages, worlds
from tests.profiles.test_profile_pages import filled

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def page_of(client, profile) -> str:
    return pages.of_profile(client, profile)


def text_of(client, profile) -> str:
    return unescape(pages.text_of(page_of(client, profile)))


def press_validate(client, profile):
    return client.post(f"/integration-profiles/{profile.pk}/validate/", follow=True)


def save(client, profile, **changes):
    """Send the profile's form as the browser would; `None` clears a check box."""
    version = str(IntegrationProfile.objects.get(pk=profile.pk).version)
    posted = filled(**{"client_id": "samsaas-demo-key", "client_secret": "", "version": version, **changes})
    posted = {name: value for name, value in posted.items() if value is not None}
    answer = client.post(f"/integration-profiles/{profile.pk}/edit/", posted)
    assert answer.status_code == 302, answer.context["form"].errors
    profile.refresh_from_db()


def test_without_a_token_there_is_nothing_to_validate_and_the_page_says_what_comes_first(integrator, draft):
    page = page_of(integrator, draft)
    assert "Validate Connection" not in pages.buttons(page) and "Next step: Get OAuth Token" in page
    answer = press_validate(integrator, draft)
    assert "not connected yet" in answer.content.decode() and not JobRun.objects.exists()


def test_the_button_queues_one_run_and_the_page_shows_its_progress(integrator, connected):
    worlds.work_on()
    page = press_validate(integrator, connected).content.decode()
    press_validate(integrator, connected)
    run = JobRun.objects.get(process=VALIDATE, state="queued")
    assert f"/runs/{run.pk}/progress/?brief" in page and run.requested_by == integrator.user
    assert "Processes" in integrator.get(f"/runs/{run.pk}/progress/?brief").content.decode()


def test_every_process_tells_what_was_seen_and_the_profile_is_published_with_its_jobs(integrator, connected):
    told = pages.rows(page_of(integrator, connected), "Process")
    assert {process: cells[0].split(" just now")[0] for process, cells in told.items()} == {
        "Download subscriptions": "Ready Passed",
        "Pull user activity": "Ready Passed",
        "Reclaim subscriptions": "Ready Passed",
    }
    assert "Nordwind Trading: the member list can be read" in told["Download subscriptions"][0]
    assert connected.status == "published" and connected.validated_at
    names = {str(job) for job in ScheduledJob.objects.all()}
    assert names == {"SAM - Refresh Dropbox Europe Subscriptions", "SAM - Refresh Dropbox Europe Events"}
    assert JobRun.objects.get(process=base.DOWNLOAD).in_chain


def test_a_process_has_one_name_on_every_page(integrator, connected):
    names = {process.label for process in connected.vendor_info.processes}
    declared = {process.key: process.label for process in declared_processes()}
    shared = [process for process in connected.vendor_info.processes if process.key in declared]
    assert len(shared) >= 2 and all(process.label == declared[process.key] for process in shared)
    run = JobRun.objects.get(process=VALIDATE)
    ended = integrator.get(f"/runs/{run.pk}/").content.decode().partition("Process by process")[2]
    form = integrator.get(f"/integration-profiles/{connected.pk}/edit/").content.decode()
    for name in names:
        assert f"<dt>{name}</dt>" in ended and name in form and name in page_of(integrator, connected)


def test_a_process_that_fails_shows_the_exact_cause_the_remedy_and_the_request_id(integrator, connected, dropbox):
    worlds.work_on()
    dropbox.faults.add("team_log/get_events", None, Fault(status=403, body=b'{"error_summary": "x/", "error": {}}'))
    press_validate(integrator, connected)
    worlds.work()
    check = ProcessCheck.objects.get(process=base.ACTIVITY)
    assert not check.passed and check.request_id and check.remedy and check.status == 403
    page = text_of(integrator, connected)
    for told in (check.message, check.remedy, check.request_id, "Validation failed: Pull user activity"):
        assert told in page
    assert pages.rows(page_of(integrator, connected), "Process")["Download subscriptions"][0].startswith(
        "Ready Passed "
    )
    run = JobRun.objects.filter(process=VALIDATE).first()
    ended = unescape(pages.text_of(integrator.get(f"/runs/{run.pk}/").content.decode()))
    assert check.request_id in ended and "Passed processes that can do their work 2" in ended


def test_switching_a_process_off_makes_a_draft_deletes_its_job_and_asks_for_validation(integrator, connected):
    worlds.work_on()
    form = integrator.get(f"/integration-profiles/{connected.pk}/edit/").content.decode()
    assert "makes the profile a draft until its connection is validated again" in form
    save(integrator, connected, pull_activity=None)
    assert connected.status == "draft"
    assert list(ScheduledJob.objects.values_list("process", flat=True)) == [base.DOWNLOAD]
    page = text_of(integrator, connected)
    assert "Validation needed" in page and "switched on or off since the last validation" in page
    assert "User activity is not covered" in page
    refused = integrator.post(f"/integration-profiles/{connected.pk}/download/", follow=True).content.decode()
    assert "Press Validate Connection first" in refused
    press_validate(integrator, connected)
    worlds.work_on()
    connected.refresh_from_db()
    assert connected.status == "published" and "Validation needed" not in text_of(integrator, connected)
    assert not ScheduledJob.objects.filter(process=base.ACTIVITY).exists()
    save(integrator, connected)
    press_validate(integrator, connected)
    worlds.work_on()
    assert ScheduledJob.objects.filter(process=base.ACTIVITY).exists()


def test_the_banner_of_a_failed_refresh_names_when_what_and_the_remedy_whatever_ran_since(integrator, connected):
    worlds.work_on()
    JobRun.objects.filter(process=base.ACTIVITY).update(
        state="failed", error_message="The log broke.", error_remedy="Mend the log."
    )
    connected.attention = "refresh_failed"
    connected.save()
    failed = JobRun.objects.get(process=base.ACTIVITY)
    press_validate(integrator, connected)
    worlds.work()
    page = page_of(integrator, connected)
    at = f"{timezone.localtime(failed.finished_at):%-d %b %Y, %H:%M}"
    assert f"Last refresh failed on {at}: Pull user activity" in page
    assert "The log broke. Mend the log." in page and f'href="/runs/{failed.pk}/"' in page


@pytest.mark.parametrize(
    ("hours", "paused", "told"), [(35, False, ""), (37, False, "Data is stale since"), (37, True, "refresh is paused")]
)
def test_stale_data_is_said_after_a_day_and_a_half_unless_the_refresh_is_paused(
    integrator, connected, hours, paused, told
):
    IntegrationProfile.objects.update(refreshed_at=timezone.now() - timedelta(hours=hours))
    ScheduledJob.objects.filter(process=base.DOWNLOAD).update(paused=paused)
    page = text_of(integrator, connected)
    found = [words for words in ("Data is stale since", "refresh is paused") if words in page]
    assert found == ([told] if told else [])


def test_a_gap_in_the_activity_and_a_plan_without_file_events_are_said(integrator, connected):
    now = timezone.now()
    begin = now - timedelta(days=10)
    IntegrationProfile.objects.update(analyze_activity_from=begin, activity_refreshed_at=now, file_events=False)
    factories.coverage(connected, begin, begin + timedelta(days=3))
    assert "Activity is not covered throughout" in text_of(integrator, connected)
    factories.coverage(connected, begin + timedelta(days=5), now)
    page = page_of(integrator, connected)
    assert "Activity is not covered throughout" in page and "This plan has no file events" in page
    assert [cells[1:] for cells in pages.rows(page, "From").values()] == [
        ["Fresh", "3 days"],  # no later pull has read them again
        ["Gap", "2 days"],
        ["Settled", "2 days"],
        ["Fresh", "3 days"],
    ]
    assert 'aria-label="Activity coverage: settled 2 days, fresh 6 days, gap 2 days"' in page
    ActivityCoverage.objects.filter(since=begin).update(until=begin + timedelta(days=5))
    assert "Activity is not covered throughout" not in page_of(integrator, connected)


def test_with_the_pull_switched_off_the_banner_says_what_is_known_and_until_when(integrator, connected):
    IntegrationProfile.objects.update(pull_activity=False)
    assert "so the use of these subscriptions is unknown" in text_of(integrator, connected)
    until = timezone.now() - timedelta(days=3)
    IntegrationProfile.objects.update(activity_refreshed_at=until)
    factories.coverage(connected, until - timedelta(days=59), until)
    page, told = text_of(integrator, connected), f"{timezone.localtime(until):%-d %b %Y, %H:%M}"
    assert "nothing is known" not in page
    assert f"User activity is not covered since {told}" in page and f"pulled until {told} is kept" in page


def test_the_scope_x_ray_names_what_is_missing_and_what_is_too_much(integrator, connected):
    held = Credential.objects.get()
    held.granted_scopes = sorted({*held.granted_scopes, "sharing.write"} - {"events.read"})
    held.save()
    page = text_of(integrator, connected)
    assert "events.read missing" in page and "Pull user activity is not ready" in page
    assert "was also granted sharing.write" in page


def test_only_who_may_connect_sees_the_button(signed_in, connected):
    assert "Validate Connection" not in pages.buttons(page_of(signed_in("sam_admin"), connected))


@pytest.mark.parametrize("tab", ["", "subscriptions/", "jobs/", "connection/"])
def test_the_page_costs_the_same_queries_with_one_run_and_with_thirty(integrator, connected, tab):
    worlds.work_on()
    path = f"/integration-profiles/{connected.pk}/{tab}"
    before = pages.cost(integrator, path)
    for _ in range(30):
        JobRun.objects.create(
            profile=connected,
            profile_name="x",
            process=base.DOWNLOAD,
            trigger="manual",
            state="failed",
            created_at=timezone.now(),
        )
    assert pages.cost(integrator, path) == before


def test_asking_for_a_validation_leaves_an_audit_line(integrator, connected):
    worlds.work_on()
    press_validate(integrator, connected)
    entry = AuditEntry.objects.filter(verb="requested run").first()
    assert entry.detail["process"] == VALIDATE and entry.actor_id == integrator.user.pk


def test_a_run_page_costs_the_same_for_one_check_and_for_three(integrator, connected):
    path = JobRun.objects.get(process=VALIDATE).get_absolute_url()
    three = pages.cost(integrator, path)
    ProcessCheck.objects.exclude(process=base.DOWNLOAD).delete()
    assert pages.cost(integrator, path) == three
