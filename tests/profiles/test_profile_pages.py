"""Creating, changing, disconnecting and deleting an integration profile in the browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from profiles import delete_profile
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun
from samsaas.models import AuditEntry
from subscriptions.models import SoftwareModel, Subscription
from tests import pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
NEW = "/integration-profiles/new/dropbox/"


def filled(**changes: str) -> dict[str, str]:
    now = timezone.localtime() - timedelta(days=59)
    return {
        "display_name": "Dropbox Europe",
        "client_id": "key",
        "client_secret": "secret",
        "analyze_activity_from": now.strftime("%Y-%m-%dT%H:%M"),
        "pull_activity": "on",
        "reclaim": "on",
        "reclamation_client_id": "",
        "reclamation_client_secret": "",
        **changes,
    }


def errors_of(answer) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return answer.context["form"].errors


def test_the_vendor_is_chosen_from_a_list_and_continue_leads_to_its_form(integrator):
    assert "Dropbox" in integrator.get("/integration-profiles/new/").content.decode()
    assert integrator.get("/integration-profiles/new/?vendor=dropbox")["Location"] == NEW
    assert integrator.get("/integration-profiles/new/nonsense/").status_code == 404


def test_the_form_shows_the_redirect_url_the_scopes_and_the_look_back(integrator):
    page = integrator.get(NEW).content.decode()
    assert "http://localhost:8000/oauth_redirect.do" in page and "DropBox" not in page
    for scope in ("members.read", "team_info.read", "events.read", "members.write", "members.delete", "groups.read"):
        assert scope in page
    earliest = timezone.localtime(timezone.now() - timedelta(days=60)).strftime("%Y-%m-%dT")
    assert earliest in page


def test_submit_creates_a_draft_that_asks_for_a_token(integrator):
    answer = integrator.post(NEW, filled(), follow=True)
    profile = IntegrationProfile.objects.get()
    assert profile.status == "draft" and profile.alias.name == "Dropbox"
    assert "Next step: Get OAuth Token" in answer.content.decode()
    assert Credential.objects.get().client_secret == "secret"
    assert AuditEntry.objects.filter(verb="created profile", actor_id=integrator.user.pk).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", ""),
        ("display_name", "x" * 81),
        ("display_name", "a\u202eb"),
        ("client_id", ""),
        ("client_id", "with space"),
        ("client_id", "tab\tinside"),
        ("client_secret", ""),
        ("client_secret", "se cret"),
        ("client_secret", "ümlaut"),
        ("analyze_activity_from", "yesterday"),
        ("analyze_activity_from", "2020-01-01T00:00"),
        ("analyze_activity_from", "2999-01-01T00:00"),
        ("reclamation_client_id", "key"),
        ("reclamation_client_secret", "alone"),
    ],
)
def test_bad_input_is_named_and_creates_nothing(integrator, field, value):
    found = errors_of(integrator.post(NEW, filled(**{field: value})))
    assert field in found or field == "reclamation_client_secret" and "reclamation_client_id" in found
    assert not IntegrationProfile.objects.exists() and not Credential.objects.exists()


@pytest.mark.parametrize(("days", "accepted"), [(60, True), (61, True), (365, True), (366, False)])
def test_activity_can_be_analyzed_from_a_year_back(integrator, days, accepted):
    moment = (timezone.localtime() - timedelta(days=days)).strftime("%Y-%m-%dT12:00")
    integrator.post(NEW, filled(analyze_activity_from=moment))
    assert IntegrationProfile.objects.exists() is accepted


def test_a_reclamation_key_without_its_secret_is_refused(integrator):
    assert "reclamation_client_secret" in errors_of(integrator.post(NEW, filled(reclamation_client_id="second")))


def test_spaces_around_pasted_keys_are_dropped(integrator):
    integrator.post(NEW, filled(client_id="  key ", client_secret=" secret\n"))
    held = Credential.objects.get()
    assert (held.client_id, held.client_secret) == ("key", "secret")


def test_display_names_are_unique_whatever_their_case(integrator):
    integrator.post(NEW, filled())
    assert "display_name" in errors_of(integrator.post(NEW, filled(display_name="DROPBOX europe")))


def test_a_second_profile_gets_a_child_alias_of_its_own(integrator):
    integrator.post(NEW, filled())
    integrator.post(NEW, filled(display_name="Dropbox Asia"))
    child = IntegrationProfile.objects.get(display_name="Dropbox Asia").alias
    assert child.name == "Dropbox_Dropbox_Asia" and child.parent.name == "Dropbox"
    assert Credential.objects.count() == 2


def test_an_empty_secret_keeps_the_stored_one(integrator, draft):
    edit = f"/integration-profiles/{draft.pk}/edit/"
    stored = Credential.objects.get().client_secret
    page = integrator.get(edit).content.decode()
    assert stored not in page
    integrator.post(edit, filled(client_id="samsaas-demo-key", client_secret="", display_name="Renamed", version="1"))
    draft.refresh_from_db()
    assert draft.display_name == "Renamed" and draft.version == 2
    assert Credential.objects.get().client_secret == stored


def test_another_client_id_needs_its_secret_and_drops_the_old_grant(integrator, connected):
    edit = f"/integration-profiles/{connected.pk}/edit/"
    version = str(IntegrationProfile.objects.get().version)
    refused = integrator.post(edit, filled(client_id="another", client_secret="", version=version))
    assert "client_secret" in errors_of(refused)
    integrator.post(edit, filled(client_id="another", client_secret="new", version=version))
    held = Credential.objects.get()
    connected.refresh_from_db()
    assert held.state == "new" and not held.refresh_token and connected.attention == "needs_authorization"


def test_two_people_editing_do_not_overwrite_each_other(integrator, draft):
    edit = f"/integration-profiles/{draft.pk}/edit/"
    first = filled(client_id="samsaas-demo-key", client_secret="", version="1", display_name="First")
    second = {**first, "display_name": "Second"}
    integrator.post(edit, first)
    assert "Somebody else saved this profile meanwhile" in integrator.post(edit, second).content.decode()
    draft.refresh_from_db()
    assert draft.display_name == "First"


def test_only_the_fields_of_the_form_can_be_changed(integrator, draft):
    extra = {"status": "published", "team_id": "dbtid:evil", "alias": "99", "attention": "x", "vendor": "other"}
    before = IntegrationProfile.objects.values("status", "team_id", "alias", "vendor").get()
    posted = filled(client_id="samsaas-demo-key", client_secret="", version="1", **extra)
    integrator.post(f"/integration-profiles/{draft.pk}/edit/", posted)
    assert IntegrationProfile.objects.values("status", "team_id", "alias", "vendor").get() == before


def test_delete_says_what_goes_and_what_stays_and_does_just_that(integrator, connected):
    worlds.work()
    page = integrator.get(f"/integration-profiles/{connected.pk}/delete/").content.decode()
    assert f"Software subscriptions: {Subscription.objects.count()}" in page and "Job results: " in page
    wrong = integrator.post(f"/integration-profiles/{connected.pk}/delete/", {"display_name": "other"})
    assert wrong.status_code == 200 and IntegrationProfile.objects.exists()
    integrator.post(f"/integration-profiles/{connected.pk}/delete/", {"display_name": "dropbox europe"})
    assert not IntegrationProfile.objects.exists() and not Subscription.objects.exists()
    assert not Credential.objects.exists()
    assert SoftwareModel.objects.exists() and JobRun.objects.first().profile_name == "Dropbox Europe"
    assert ConnectionAlias.objects.filter(name="Dropbox").exists()
    assert integrator.get("/runs/").status_code == 200


def test_delete_is_refused_while_members_are_being_removed(integrator, draft):
    JobRun.objects.create(
        profile=draft, profile_name="x", process="reclaim", trigger="manual", state="running", created_at=timezone.now()
    )
    with pytest.raises(delete_profile.Busy):
        delete_profile.run(draft, by=integrator.user)
    page = integrator.post(f"/integration-profiles/{draft.pk}/delete/", {"display_name": draft.display_name})
    assert "under way" in page.content.decode() and IntegrationProfile.objects.exists()


def test_the_name_of_a_deleted_profile_can_be_used_again(integrator):
    for _ in range(2):
        integrator.post(NEW, filled())
        profile = IntegrationProfile.objects.get()
        integrator.post(f"/integration-profiles/{profile.pk}/delete/", {"display_name": profile.display_name})
    assert not IntegrationProfile.objects.exists()


def test_download_before_connecting_says_what_is_missing(integrator, draft):
    page = integrator.post(f"/integration-profiles/{draft.pk}/download/", follow=True).content.decode()
    assert "not connected yet" in page and not JobRun.objects.exists()


def test_a_double_click_makes_one_run(integrator, connected):
    first = integrator.post(f"/integration-profiles/{connected.pk}/download/")["Location"]
    second = integrator.post(f"/integration-profiles/{connected.pk}/download/")["Location"]
    assert first == second and JobRun.objects.filter(process="download_subscriptions").count() == 1


@pytest.mark.parametrize("path", ["/integration-profiles/", "/runs/", "/aliases/"])
def test_lists_cost_the_same_for_one_row_and_for_thirty(integrator, draft, path, django_assert_max_num_queries):
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert integrator.get(path).status_code == 200
        return len(queries)

    JobRun.objects.create(
        profile=draft, profile_name="x", process="reclaim", trigger="manual", state="failed", created_at=timezone.now()
    )
    integrator.get(path)
    one = cost()
    for number in range(29):
        profile = worlds.draft_profile(f"Profile {number}")
        JobRun.objects.create(
            profile=profile,
            profile_name="x",
            process="reclaim",
            trigger="manual",
            state="failed",
            created_at=timezone.now(),
        )
    assert cost() == one


@pytest.mark.parametrize(
    "query",
    [
        "page=abc",
        "page=-1",
        "page=99999",
        "sort=nonsense",
        "q=" + "x" * 5000,
        "profile=abc",
        "state=zzz",
        "per_page=9999999",
        "sort=-id&sort=id",
    ],
)
def test_a_nonsense_query_string_is_never_an_error_page(integrator, draft, query):
    for path in ("/integration-profiles/", "/runs/", "/aliases/", "/subscriptions/", "/software-models/"):
        assert integrator.get(f"{path}?{query}").status_code == 200, path


def test_the_page_has_tabs_that_are_links_and_says_on_each_where_one_is(integrator, connected):
    worlds.work_on()
    for tab, label in (("", "Overview"), ("subscriptions/", "Subscriptions"), ("jobs/", "Jobs and coverage")):
        page = integrator.get(f"/integration-profiles/{connected.pk}/{tab}").content.decode()
        tabs = page.partition('<nav class="tabs"')[2].partition("</nav>")[0]
        links = re.findall(rf'<a href="/integration-profiles/{connected.pk}/([a-z/]*)"( aria-current="page")?>', tabs)
        assert [address for address, _ in links] == ["", "subscriptions/", "jobs/", "connection/"]
        assert [address for address, current in links if current] == [tab] and label in page


def test_what_needs_a_person_is_counted_on_the_tab_that_tells_it(integrator, draft):
    page = pages.text_of(integrator.get(f"/integration-profiles/{draft.pk}/connection/").content.decode())
    assert "Overview 1 to look at" in page and "Next step: Get OAuth Token" not in page


@pytest.mark.parametrize("press", ["download", "validate", "run", "pause", "switch"])
def test_an_action_stays_on_the_tab_where_it_was_pressed(integrator, connected, press):
    worlds.work_on()
    here, job = f"/integration-profiles/{connected.pk}/jobs/", connected.scheduled_jobs.first()
    addresses = {
        "download": f"/integration-profiles/{connected.pk}/download/",
        "validate": f"/integration-profiles/{connected.pk}/validate/",
        "run": f"/scheduled-jobs/{job.pk}/run/",
        "pause": f"/scheduled-jobs/{job.pk}/pause/",
        "switch": f"/integration-profiles/{connected.pk}/processes/reclaim/",
    }
    assert addresses[press] in integrator.get(here).content.decode()
    assert integrator.post(addresses[press], {"next": here})["Location"] == here
    elsewhere = integrator.post(addresses[press], {"next": "https://evil.example/"})["Location"]
    assert elsewhere.startswith(("/integration-profiles/", "/runs/"))


def test_a_process_is_switched_where_it_is_shown_and_the_trail_says_who_did(integrator, connected):
    address = f"/integration-profiles/{connected.pk}/processes/pull_activity/"
    for _ in range(2):  # a double click changes it once
        integrator.post(address, {"on": "0"})
    connected.refresh_from_db()
    assert not connected.pull_activity and connected.status == "draft"
    entry = AuditEntry.objects.get(verb="changed profile")
    assert entry.detail["after"] == {"pull_activity": "False"} and entry.actor_id == integrator.user.pk
    integrator.post(address, {"on": "1"})
    connected.refresh_from_db()
    assert connected.pull_activity
    required = f"/integration-profiles/{connected.pk}/processes/download_subscriptions/"
    assert integrator.post(required).status_code == 404


def test_a_page_that_opens_the_vendors_window_can_see_it_closed(integrator, connected):
    address = connected.get_absolute_url()
    opened = (integrator.get(address), integrator.post(f"{address}authorize/"))
    assert {page["Cross-Origin-Opener-Policy"] for page in opened} == {"same-origin-allow-popups"}
    assert integrator.get("/integration-profiles/")["Cross-Origin-Opener-Policy"] == "same-origin"
