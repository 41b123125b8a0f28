"""Profiles in Core UI: inactive with a pointer while the Workspace is in use, and from start to finish without it."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from profiles.models import IntegrationProfile
from tests import worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PROFILES = "/core/profiles/integrationprofile/"
NEW = f"{PROFILES}new/dropbox/"


@pytest.fixture
def integrator_without_workspace(signed_in: Any, settings: Any) -> Any:
    settings.WORKSPACE = False
    return signed_in("sam_integrator")


def sent(**changes: Any) -> dict[str, Any]:
    form = {
        "display_name": "Dropbox Europe",
        "client_id": "an-app-key",
        "client_secret": "an-app-secret",
        "analyze_activity_from": "",
        "pull_activity": "on",
        "reclaim": "on",
    }
    return form | changes


def test_while_the_workspace_is_in_use_nothing_is_created_in_core_ui(signed_in: Any) -> None:
    client = signed_in("sam_integrator")
    for act in (client.get, lambda address, **how: client.post(address, sent(), **how)):
        answer = act(NEW, follow=True)
        assert answer.redirect_chain == [(PROFILES, 302)]
        assert "Direct integration profiles &gt; New" in answer.content.decode()
    assert not IntegrationProfile.objects.exists()


def test_the_classic_path_leads_to_the_form_of_a_dropbox_profile(integrator_without_workspace: Any) -> None:
    client = integrator_without_workspace
    assert "Software Asset &gt; SaaS License" in client.get("/core/").content.decode()
    page = client.get(PROFILES).content.decode()
    assert f'<a href="{NEW}">Dropbox Integration Profile</a>' in page
    form = client.get(NEW).content.decode()
    for words in (
        "New Dropbox Integration Profile",
        "DropBox Subscription",
        "Draft",
        "oauth_redirect.do",
        "members.read",
    ):
        assert words in form, words


def test_submit_makes_a_draft_whose_page_has_the_next_buttons(integrator_without_workspace: Any) -> None:
    client = integrator_without_workspace
    answer = client.post(NEW, sent(analyze_activity_from="2026-10-01T00:00"), follow=True)
    profile = IntegrationProfile.objects.get()
    assert profile.status == "draft" and answer.redirect_chain[0][0] == f"{PROFILES}{profile.pk}/change/"
    page = answer.content.decode()
    assert f'action="{reverse("profile_authorize", args=[profile.pk])}"' in page and "Get OAuth Token</button>" in page
    assert "an-app-secret" not in page


def test_get_oauth_token_in_core_ui_goes_to_the_vendor(integrator_without_workspace: Any) -> None:
    profile = worlds.draft_profile("Dropbox Europe")
    answer = integrator_without_workspace.post(reverse("profile_authorize", args=[profile.pk]))
    assert answer.status_code == 303 and "response_type=code" in answer["Location"]


def test_every_page_leads_back_to_core_ui_where_profiles_are_kept_there(integrator_without_workspace: Any) -> None:
    profile = worlds.draft_profile("Dropbox Europe")
    place = f"{PROFILES}{profile.pk}/change/"
    assert profile.get_absolute_url() == place
    answer = integrator_without_workspace.post(reverse("profile_validate", args=[profile.pk]))
    assert answer["Location"] == place
    page = integrator_without_workspace.get(place).content.decode()
    assert f'href="{reverse("profile_detail", args=[profile.pk])}"' in page, "the Workspace is still one click away"


def test_a_profile_is_changed_there_too_and_keeps_its_secret(integrator_without_workspace: Any) -> None:
    profile = worlds.draft_profile("Dropbox Europe")
    place = f"{PROFILES}{profile.pk}/edit/"
    form = integrator_without_workspace.get(place).context["form"]
    data = {name: form[name].value() for name in ("alias", "client_id", "version")}
    data |= {"display_name": "Dropbox EU", "pull_activity": "on", "analyze_activity_from": "2026-10-01T00:00"}
    answer = integrator_without_workspace.post(place, {key: value for key, value in data.items() if value is not None})
    assert answer.status_code == 302, answer.context["form"].errors
    profile.refresh_from_db()
    assert profile.display_name == "Dropbox EU" and profile.alias.credentials.get().client_secret


def test_what_is_wrong_is_said_beside_its_field(integrator_without_workspace: Any) -> None:
    page = integrator_without_workspace.post(NEW, sent(display_name="")).content.decode()
    assert "Please correct what is marked below" in page and "This field is required" in page
    assert not IntegrationProfile.objects.exists()


@pytest.mark.parametrize("role", ["sam_user", "sam_admin"])
def test_who_only_reads_finds_no_button_that_acts(signed_in: Any, settings: Any, role: str) -> None:
    settings.WORKSPACE = False
    client, profile = signed_in(role), worlds.draft_profile("Dropbox Europe")
    page = client.get(f"{PROFILES}{profile.pk}/change/").content.decode()
    assert "Get OAuth Token</button>" not in page and ">Edit<" not in page and "Job results" in page
    assert "Integration Profile</a>" not in client.get(PROFILES).content.decode()
    assert client.get(NEW).status_code == 403 and client.post(NEW, sent()).status_code == 403
