"""Child aliases: made from their parent, with their own connection and inherited settings, chosen by profiles."""

from __future__ import annotations

import pytest

from profiles.aliases import choose as aliases
from profiles.connection import credentials
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun, ProcessCheck
from profiles.models.run import VALIDATE
from samsaas.models import AuditEntry
from samsaas.schedule import DAILY_ORDER
from subscriptions.models import Subscription
from tests import pages, worlds
from tests.profiles.test_profile_pages import NEW, errors_of, filled
from tests.profiles.test_validate_page import save, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
KEY, SECRET = "samsaas-demo-key", "samsaas-demo-secret"


def parent() -> ConnectionAlias:
    return ConnectionAlias.objects.get(parent=None)


def child_form(**changes: str) -> dict[str, str]:
    empty = ("client_id", "client_secret", "reclamation_client_id", "reclamation_client_secret")
    return {
        "name": "Dropbox_Asia",
        **dict.fromkeys((*empty, *ConnectionAlias.SETTINGS), ""),
        **changes,
    }


def edited(alias: ConnectionAlias, **changes: str) -> dict[str, str]:
    """The form of an alias as somebody sends it who has just opened it."""
    return child_form(version=str(ConnectionAlias.objects.get(pk=alias.pk).version), **changes)


def new_child(client, **changes: str):
    return client.post(f"/aliases/{parent().pk}/children/new/", child_form(**changes))


def used_by(page: str) -> dict[str, list[str]]:
    """The table of children. A name may break after an underscore, which reads as a space."""
    return {name.replace(" ", ""): cells for name, cells in pages.rows(page, "Name").items()}


def child(name: str = "Dropbox_Asia") -> ConnectionAlias:
    return ConnectionAlias.objects.get(name=name)


def test_a_child_is_made_from_its_parents_page_with_its_own_connection(integrator):
    assert f"/aliases/{parent().pk}/children/new/" in integrator.get(parent().get_absolute_url()).content.decode()
    new_child(integrator, client_id=KEY, client_secret=SECRET, zone="Asia/Tokyo", page_size="200")
    made = child()
    assert made.parent == parent() and made.vendor == "dropbox"
    assert made.credentials.get().client_secret == SECRET
    page = integrator.get(parent().get_absolute_url()).content.decode()
    assert used_by(page)["Dropbox_Asia"] == ["No profile yet"]
    entry = AuditEntry.objects.get(verb="created child alias")
    assert entry.detail["own"] == {"page_size": "200", "zone": "Asia/Tokyo"} and SECRET not in str(entry.detail)


def test_settings_show_whether_they_are_own_inherited_or_the_installations(integrator):
    ConnectionAlias.objects.update(page_size=250, attempts=6)
    new_child(integrator, attempts="2", requests_per_minute="60")
    told = pages.rows(integrator.get(child().get_absolute_url()).content.decode(), "Setting")
    assert told["Records per call"] == ["250", "from parent Dropbox"]
    assert told["Attempts per call"] == ["2", "Own"]
    assert told["Daily refresh at"] == ["02:00", "default of this installation"]
    above = pages.rows(integrator.get(parent().get_absolute_url()).content.decode(), "Setting")
    assert above["Rate limit (calls per minute)"] == ["unlimited", "default of this installation"]
    limits = credentials.limits_for(child())
    assert (limits.page_size, limits.attempts, limits.requests_per_minute) == (250, 2, 60)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "with space"),
        ("name", "Ümlaut"),
        ("name", "line\n"),
        ("name", "dropbox"),
        ("name", "x" * 81),
        ("page_size", "0"),
        ("page_size", "1001"),
        ("requests_per_minute", "-1"),
        ("attempts", "99"),
        ("zone", "Mars/Olympus"),
        ("refresh_at", "soon"),
        ("client_secret", "alone"),
        ("reclamation_client_id", "alone"),
    ],
)
def test_bad_input_is_named_and_makes_no_alias(integrator, field, value):
    if (field, value) == ("name", "line\n"):
        new_child(integrator, name=value)
        assert child("line").name == "line"
        return
    found = errors_of(new_child(integrator, **{field: value}))
    assert {field, field.replace("secret", "id"), field.replace("_id", "_secret")} & found.keys()
    assert ConnectionAlias.objects.count() == 1


def test_a_child_of_a_child_becomes_a_child_of_the_parent(integrator):
    new_child(integrator)
    integrator.post(f"/aliases/{child().pk}/children/new/", child_form(name="Dropbox_Africa"))
    assert child("Dropbox_Africa").parent == parent()


def test_editing_keeps_the_secret_and_never_shows_it(integrator):
    new_child(integrator, client_id=KEY, client_secret=SECRET)
    path = f"/aliases/{child().pk}/edit/"
    assert SECRET not in integrator.get(path).content.decode()
    integrator.post(path, edited(child(), name="Dropbox_Japan", client_id=KEY, page_size="300"))
    changed = child("Dropbox_Japan")
    assert changed.page_size == 300 and changed.credentials.get().client_secret == SECRET
    entry = AuditEntry.objects.get(verb="changed alias")
    assert entry.detail["after"] == {"name": "Dropbox_Japan", "page_size": "300"}


def test_the_parent_keeps_its_name_and_hands_its_settings_down(integrator):
    new_child(integrator)
    integrator.post(
        f"/aliases/{parent().pk}/edit/", edited(parent(), name="Other", page_size="123", zone="Europe/Berlin")
    )
    assert parent().name == "Dropbox" and child().effective_setting("page_size") == 123
    assert child().effective_setting("zone") == "Europe/Berlin"


def test_another_app_on_the_alias_of_a_connected_profile_needs_a_new_authorization(integrator, connected):
    integrator.post(
        f"/aliases/{connected.alias_id}/edit/", edited(connected.alias, client_id="another", client_secret="new")
    )
    connected.refresh_from_db()
    assert connected.attention == "needs_authorization" and not Credential.objects.get().refresh_token


def test_an_unused_child_is_deleted_after_asking_and_a_used_one_or_a_parent_stays(integrator, draft):
    new_child(integrator, client_id=KEY, client_secret=SECRET)
    path = f"/aliases/{child().pk}/delete/"
    assert "No profile uses this alias" in integrator.get(path).content.decode() and child()
    integrator.post(path)
    assert not ConnectionAlias.objects.exclude(parent=None).exists() and Credential.objects.count() == 1
    assert AuditEntry.objects.filter(verb="deleted alias", object_name="Dropbox_Asia").exists()
    used = worlds.draft_profile("Second").alias
    for alias in (draft.alias, used):
        answer = integrator.post(f"/aliases/{alias.pk}/delete/", follow=True).content.decode()
        assert "cannot be deleted" in answer and ConnectionAlias.objects.filter(pk=alias.pk).exists()


def test_the_list_and_the_parent_say_who_uses_which_child(integrator, draft):
    second = worlds.draft_profile("Second")
    page = integrator.get(parent().get_absolute_url()).content.decode()
    assert used_by(page)[second.alias.name] == ["Second"]


def test_a_profile_takes_a_free_child_with_the_connection_it_already_holds(integrator, draft):
    new_child(integrator, client_id=KEY, client_secret=SECRET)
    asked = filled(display_name="Dropbox Asia", client_id="", client_secret="", alias=str(child().pk))
    answer = integrator.post(NEW, asked)
    assert answer.status_code == 302, answer.context["form"].errors
    made = IntegrationProfile.objects.get(display_name="Dropbox Asia")
    assert made.alias == child() and made.alias.credentials.get().client_secret == SECRET
    assert "Dropbox_Asia" in integrator.get(made.get_absolute_url()).content.decode()


def test_a_child_is_made_in_place_with_the_name_that_was_given(integrator, draft):
    integrator.post(NEW, filled(display_name="Asia", alias=aliases.NEW, child_name="Team_Tokyo"))
    made = IntegrationProfile.objects.get(display_name="Asia")
    assert made.alias.name == "Team_Tokyo" and made.alias.parent == parent()
    integrator.post(NEW, filled(display_name="Africa", alias=aliases.NEW))
    assert IntegrationProfile.objects.get(display_name="Africa").alias.name == "Dropbox_Africa"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("child_name", {"alias": "new", "child_name": "no spaces please"}),
        ("child_name", {"alias": "new", "child_name": "DROPBOX"}),
        ("alias", {"alias": "99999"}),
        ("alias", {"alias": "nonsense"}),
    ],
)
def test_an_alias_that_cannot_be_is_named_and_creates_nothing(integrator, draft, field, changes):
    assert field in errors_of(integrator.post(NEW, filled(display_name="Second", **changes)))
    assert IntegrationProfile.objects.count() == 1 and ConnectionAlias.objects.count() == 1


def test_an_alias_in_use_is_not_offered_and_cannot_be_taken(integrator, draft):
    page = integrator.get(NEW).content.decode()
    assert f'<option value="{draft.alias_id}"' not in page
    assert "alias" in errors_of(integrator.post(NEW, filled(display_name="Second", alias=str(draft.alias_id))))


def test_two_people_taking_the_same_alias_get_one_profile_and_one_explanation(integrator, draft, monkeypatch):
    new_child(integrator)
    free, taken = aliases.free_aliases, child()

    def somebody_is_quicker(vendor):
        found = list(free(vendor))
        if not IntegrationProfile.objects.filter(alias=taken).exists():
            IntegrationProfile.objects.create(
                vendor="dropbox", display_name="Quicker", alias=taken, analyze_activity_from=draft.analyze_activity_from
            )
        return found

    monkeypatch.setattr(aliases, "free_aliases", somebody_is_quicker)
    found = errors_of(integrator.post(NEW, filled(display_name="Slower", alias=str(taken.pk))))
    assert "meanwhile" in str(found["alias"]) and not IntegrationProfile.objects.filter(display_name="Slower").exists()


def test_changing_the_alias_is_another_connection_that_needs_a_token_and_a_validation(integrator, connected, dropbox):
    worlds.work_on()
    seats = Subscription.objects.count()
    new_child(integrator, client_id=KEY, client_secret=SECRET)
    integrator.post(f"/integration-profiles/{connected.pk}/download/")
    save(integrator, connected, alias=str(child().pk))
    assert connected.alias == child() and connected.status == "draft" and connected.attention == "needs_authorization"
    assert not JobRun.objects.active().exists() and not ProcessCheck.objects.exists()
    assert Subscription.objects.count() == seats
    page = text_of(integrator, connected)
    assert "Next step: Get OAuth Token" in page and "Dropbox_ Asia child of Dropbox" in page
    old = parent().credentials.get()
    assert old.is_connected and old.refresh_token, "tokens stay with their alias"
    worlds.connect(integrator, connected, dropbox)
    done = worlds.work_on()
    connected.refresh_from_db()
    assert connected.status == "published" and not connected.attention
    assert [run.process for run in done] == [VALIDATE, *DAILY_ORDER]
    entry = AuditEntry.objects.filter(verb="changed profile").first()
    assert (entry.detail["before"]["alias"], entry.detail["after"]["alias"]) == ("Dropbox", "Dropbox_Asia")


def test_going_back_to_an_alias_of_the_same_team_needs_no_new_token(integrator, connected):
    worlds.work_on()
    first = connected.alias_id
    save(integrator, connected, alias=aliases.NEW, child_name="Elsewhere", client_secret=SECRET)
    save(integrator, connected, alias=str(first))
    assert not connected.attention and connected.alias.credentials.get().is_connected
    assert connected.status == "draft" and "Validation needed" in text_of(integrator, connected)


def test_an_alias_of_another_team_loses_its_tokens_when_a_profile_takes_it(integrator, connected, dropbox):
    worlds.work_on()
    team = list(dropbox.teams.values())[1]
    other = worlds.draft_profile("Other")
    worlds.connect(integrator, other, dropbox, account=team.admins()[0]["profile"]["team_member_id"])
    worlds.work_on()
    freed = other.alias
    save(integrator, other, display_name="Other", alias=aliases.NEW, child_name="Elsewhere", client_secret=SECRET)
    save(integrator, connected, alias=str(freed.pk))
    assert not freed.credentials.get().refresh_token and connected.attention == "needs_authorization"


def test_two_teams_side_by_side_feed_the_same_models_and_are_read_by_profile(integrator, connected, dropbox):
    team = list(dropbox.teams.values())[1]
    integrator.post(NEW, filled(display_name="Studio", client_id=KEY, client_secret=SECRET, alias="new"))
    studio = IntegrationProfile.objects.get(display_name="Studio")
    worlds.connect(integrator, studio, dropbox, account=team.admins()[0]["profile"]["team_member_id"])
    worlds.work_on()
    studio.refresh_from_db()
    assert (connected.team_name, studio.team_name) == ("Nordwind Trading", "Blue Harbour Studio")
    for profile, seats in ((connected, 248), (studio, 61)):
        assert pages.rows_behind(integrator, f"/subscriptions/?profile={profile.pk}") == seats
    models = {seat.identifier.software_model_id for seat in Subscription.objects.select_related("identifier")}
    by_studio = Subscription.objects.filter(profile=studio).values_list("identifier__software_model", flat=True)
    assert set(by_studio) <= models and len(models) == 2
    assert pages.rows_behind(integrator, f"/runs/?profile={studio.pk}") == 6


def test_the_alias_pages_cost_the_same_queries_for_one_child_and_for_thirty(integrator):
    new_child(integrator)
    before = pages.cost(integrator, parent().get_absolute_url())
    for number in range(30):
        worlds.draft_profile(f"Profile {number}")
    assert pages.cost(integrator, parent().get_absolute_url()) == before
