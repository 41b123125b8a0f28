"""Scheduled jobs in the browser: when they run, whose word that is, pause and resume, run now."""

from __future__ import annotations

from datetime import datetime, time

import pytest
import time_machine

from profiles.connectors import base
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun, ScheduledJob
from reclamation.find_candidates import FIND
from reclamation.reexamine import REEXAMINE
from samsaas import schedule
from samsaas.models import AuditEntry
from subscriptions.rematch import MATCH
from tests import pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
DOWNLOAD = "Download subscriptions"


def job(process: str = base.DOWNLOAD) -> ScheduledJob:
    return ScheduledJob.objects.get(process=process)


def edit(client, **changes):
    sent = {"refresh_at": "", "zone": "", "version": job().version, **changes}
    return client.post(f"/scheduled-jobs/{job().pk}/", sent)


def sign_in_again(client) -> None:
    """After a leap in time: the session of before has run out."""
    client.logout()
    client.force_login(client.user)


def listed(client, profile) -> dict[str, list[str]]:
    """Each process in the table of processes: what it says of the next run, of the last one, and what can be done."""
    page = client.get(f"/integration-profiles/{profile.pk}/jobs/").content.decode()
    told = pages.rows(page, "Process").items()
    return {process: [coming, last, switch] for process, (_, _, last, coming, switch) in told}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_an_own_time_and_zone_hold_from_the_next_tick_on_and_show_the_next_run_where_the_job_lives(
    integrator, connected
):
    worlds.work_on()
    with time_machine.travel("2026-11-25T10:00:00+00:00", tick=False):
        sign_in_again(integrator)
        edit(integrator, refresh_at="06:30", zone="America/New_York")
        page = pages.text_of(integrator.get(f"/integration-profiles/{connected.pk}/jobs/").content.decode())
        assert "25 Nov 2026, 06:30 America/New_York" in page and "set on this job" in page
        schedule.start_due()
        assert not JobRun.objects.filter(trigger="schedule").exists()
    with time_machine.travel("2026-11-25T11:31:00+00:00", tick=False):
        schedule.start_due()
        assert JobRun.objects.get(trigger="schedule").logical_date.isoformat() == "2026-11-25"


def test_moving_the_time_later_on_a_day_that_was_refreshed_promises_tomorrow(integrator, connected):
    worlds.work_on()
    with time_machine.travel("2026-11-25T03:00:00+00:00", tick=False):
        schedule.start_due()
        sign_in_again(integrator)
        edit(integrator, refresh_at="20:00")
        page = pages.text_of(integrator.get(f"/integration-profiles/{connected.pk}/jobs/").content.decode())
        assert "26 Nov 2026, 20:00 UTC" in page and "25 Nov 2026, 20:00" not in page


def test_what_is_left_empty_is_inherited_and_the_page_says_from_where(integrator, connected):
    page = pages.text_of(integrator.get(f"/scheduled-jobs/{job().pk}/").content.decode())
    assert "02:00, this installation’s default" in page
    ConnectionAlias.objects.update(refresh_at=time(4, 15), zone="Europe/Berlin")
    page = pages.text_of(integrator.get(f"/scheduled-jobs/{job().pk}/").content.decode())
    assert "Daily at 04:15 Europe/Berlin set on the parent alias Dropbox" in page
    edit(integrator, refresh_at="05:00")
    page = pages.text_of(integrator.get(f"/scheduled-jobs/{job().pk}/").content.decode())
    assert "time set on this job, zone set on the parent alias Dropbox" in page
    edit(integrator)
    assert job().refresh_at is None and job().local_time == time(4, 15)


@pytest.mark.parametrize(
    ("field", "value"),
    [("zone", "Europe/Nowhere"), ("zone", "../etc/passwd"), ("refresh_at", "25:00"), ("zone", "CET6")],
)
def test_a_zone_or_time_that_does_not_exist_is_named_and_changes_nothing(integrator, connected, field, value):
    answer = edit(integrator, **{field: value})
    assert answer.status_code == 200 and field in answer.context["form"].errors
    assert (job().zone, job().refresh_at) == ("", None)


def test_places_are_offered_by_area_and_a_stored_zone_of_another_kind_stays(integrator, connected):
    def offered() -> dict[str, list[str]]:
        choices = integrator.get(f"/scheduled-jobs/{job().pk}/").context["form"].fields["zone"].choices
        return {name: [zone for zone, _ in places] for name, places in choices if isinstance(places, list)} | {
            "": [zone for zone, places in choices if not isinstance(places, list)]
        }

    found = offered()
    assert found[""] == ["", "UTC"] and {"Europe", "America", "Asia"} < set(found)
    assert "Europe/Berlin" in found["Europe"] and not {"Etc", "US", "General"} & set(found)
    ScheduledJob.objects.update(zone="CST6CDT")
    assert offered()[""] == ["", "CST6CDT", "UTC"]
    assert edit(integrator, zone="CST6CDT", refresh_at="06:30").status_code == 302 and job().zone == "CST6CDT"


def test_a_paused_job_is_not_started_and_resumes(integrator, connected, settings):
    settings.DAILY_REFRESH_AT = "00:00"
    worlds.work_on()
    worlds.since_yesterday()
    integrator.post(f"/scheduled-jobs/{job().pk}/pause/", {"paused": "1"})
    schedule.start_due()
    assert not JobRun.objects.filter(trigger="schedule").exists()
    assert "Paused" in listed(integrator, connected)[DOWNLOAD][0]
    integrator.post(f"/scheduled-jobs/{job().pk}/pause/", {"paused": "0"})
    schedule.start_due()
    assert JobRun.objects.filter(trigger="schedule").exists()


def test_paused_events_are_stepped_over_and_run_by_hand(integrator, connected):
    events = job(base.ACTIVITY)
    integrator.post(f"/scheduled-jobs/{events.pk}/pause/")
    done = worlds.work_on()
    assert [run.process for run in done] == [base.DOWNLOAD, MATCH, REEXAMINE, FIND]
    integrator.post(f"/scheduled-jobs/{events.pk}/run/")
    assert [run.process for run in worlds.work_on()] == [base.ACTIVITY, REEXAMINE, FIND]


def test_run_now_and_download_now_go_on_to_people_and_events(integrator, connected):
    worlds.work_on()
    for path in (f"/scheduled-jobs/{job().pk}/run/", f"/integration-profiles/{connected.pk}/download/"):
        integrator.post(path)
        done = worlds.work_on()
        assert tuple(run.process for run in done) == schedule.DAILY_ORDER, path
        assert {run.state for run in done} == {"succeeded"}


def test_a_job_that_cannot_run_says_why_instead_of_offering_it(integrator, connected):
    def page() -> str:
        return integrator.get(f"/integration-profiles/{connected.pk}/jobs/").content.decode()

    run_now, pause = f"/scheduled-jobs/{job().pk}/run/", f"/scheduled-jobs/{job().pk}/pause/"
    assert run_now in page() and pause in page()
    IntegrationProfile.objects.update(status="draft")
    assert run_now not in page() and pause not in page()
    assert "Press Validate Connection first" in listed(integrator, connected)[DOWNLOAD][2]
    IntegrationProfile.objects.update(status="published")
    Credential.objects.update(state="needs_authorization")
    assert run_now not in page() and pause not in page()
    assert "Press Get OAuth Token first" in listed(integrator, connected)[DOWNLOAD][2]
    Credential.objects.update(state="connected", granted_scopes=[])
    assert run_now not in page() and pause in page(), "its daily run goes on failing until somebody pauses it"


def test_a_step_that_followed_another_one_is_not_put_down_to_the_person_who_started_the_chain(integrator, connected):
    worlds.work_on()
    integrator.post(f"/scheduled-jobs/{job().pk}/run/")
    first, second, third, *_ = worlds.work_on()
    lines = [AuditEntry.objects.get(verb="requested run", object_id=str(run.pk)) for run in (first, second, third)]
    assert [line.actor_id for line in lines] == [integrator.user.pk, None, None]
    assert [line.detail.get("triggered_by") for line in lines] == [None, str(first), str(second)]
    page = pages.text_of(integrator.get(second.get_absolute_url()).content.decode())
    assert "After the step before" in page and f"After the step before, {integrator.user}" not in page


def test_last_runs_stand_beside_their_jobs_with_state(integrator, connected):
    worlds.work_on()
    JobRun.objects.filter(process=base.ACTIVITY).update(state="failed")
    rows = listed(integrator, connected)
    assert rows[DOWNLOAD][1].endswith("Succeeded") and rows["Pull user activity"][1].endswith("Failed")
    assert rows["Pull user activity"][0] == "After the download"


def test_the_events_job_has_no_time_of_its_own_and_says_why(integrator, connected):
    events = job(base.ACTIVITY)
    page = integrator.get(f"/scheduled-jobs/{events.pk}/").content.decode()
    main = page.partition("<main")[2].partition("</main>")[0]
    assert "This job has no time of its own" in page and "<input" not in main
    integrator.post(f"/scheduled-jobs/{events.pk}/", {"refresh_at": "05:00", "zone": ""})
    assert job(base.ACTIVITY).refresh_at is None


def test_every_change_of_a_schedule_is_in_the_audit_trail(integrator, connected):
    edit(integrator, refresh_at="06:30", zone="Asia/Tokyo")
    for paused in ("1", "0"):
        integrator.post(f"/scheduled-jobs/{job().pk}/pause/", {"paused": paused})
    lines = list(AuditEntry.objects.filter(object_type="Scheduled Job").order_by("pk"))
    assert [line.verb for line in lines] == ["changed schedule", "paused schedule", "resumed schedule"]
    assert lines[0].object_name == "SAM - Refresh Dropbox Europe Subscriptions"
    assert lines[0].actor_id == integrator.user.pk
    assert lines[0].detail["before"] == {"refresh_at": "inherited", "zone": "inherited"}
    assert lines[0].detail["after"] == {"refresh_at": "06:30:00", "zone": "Asia/Tokyo"}


def test_saving_without_a_change_or_pausing_twice_leaves_no_line(integrator, connected):
    edit(integrator)
    integrator.post(f"/scheduled-jobs/{job().pk}/pause/", {"paused": "0"})
    assert not AuditEntry.objects.filter(object_type="Scheduled Job").exists()
