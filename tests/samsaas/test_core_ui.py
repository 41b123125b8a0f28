"""Core UI: who may open it, what it shows and never shows, and how accounts get their roles."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from profiles.models import Credential, IntegrationProfile
from reclamation.models import BackTest, BackTestFinding
from samsaas import audit, core_navigation, policy, roles
from samsaas.core_ui import CoreUISite
from samsaas.models import AuditEntry
from samsaas.read_only_admin import ReadOnlyAdmin
from subscriptions.models import (
    Entitlement,
    EntitlementImport,
    EntitlementImportRow,
    RenewalReminder,
    SeatCount,
    UseDay,
)
from tests import factories, worlds

pytestmark = pytest.mark.one_database

PROFILES = "/core/profiles/integrationprofile/"
ACCOUNTS = "/core/auth/user/"


@pytest.fixture
def administrator(signed_in: Any) -> Any:
    """Not a superuser: the role admin has to be enough."""
    return signed_in("admin")


def fields_of(user: User, **changes: Any) -> dict[str, Any]:
    """What the account form sends when nothing but `changes` was touched."""
    groups = list(user.groups.values_list("pk", flat=True))
    sent = {"username": user.username, "email": user.email, "groups": groups, "is_active": user.is_active, **changes}
    return {name: value for name, value in sent.items() if value is not False}


def group(name: str) -> Any:
    return Group.objects.get(name=name).pk


def changelist(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_core_ui_is_closed_to_an_account_without_a_role(signed_in: Any) -> None:
    client = signed_in("")
    assert client.get("/core/").status_code == 403
    assert client.get(ACCOUNTS).status_code == 403


@pytest.mark.parametrize(
    ("role", "closed"),
    [
        ("sam_user", {"Users", "Roles", "Audit Trail", "Audit Trail Seals", "Outbox", "Notices", "People Imports"}),
        ("sam_integrator", {"Users", "Roles", "Audit Trail", "Outbox"}),
        ("sam_admin", {"Users", "Roles"}),
        ("admin", set()),
    ],
)
def test_each_role_finds_in_core_ui_what_it_finds_in_the_workspace(signed_in: Any, role: str, closed: set[str]) -> None:
    client = signed_in(role)
    entries = [entry for module in core_navigation.MODULES for entry in module.entries]
    page = html.unescape(client.get("/core/").content.decode())
    for entry in entries:
        is_open = client.get(reverse(entry.url_name)).status_code == 200
        assert is_open == (f">{entry.label}</a>" in page), entry.label
        if entry.label in closed:
            assert not is_open, entry.label
    assert all(f">{label}</a>" in page for label in ("Software Subscriptions", "License Workbench", "Job Results"))


def test_every_list_and_row_opens_for_the_role_admin(administrator: Any, draft: IntegrationProfile) -> None:
    audit.record(administrator.user, "tried", draft)
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, ReadOnlyAdmin):
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert administrator.get(reverse(f"{name}_changelist")).status_code == 200
        assert administrator.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200
        if row := model._default_manager.first():
            assert administrator.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


def test_lines_of_imports_findings_reminders_and_counts_have_lists_and_forms(administrator: Any) -> None:
    now, today = timezone.now(), timezone.localdate()
    seat = factories.subscription()
    owned = Entitlement.objects.create(software_model=seat.identifier.software_model, start=today, purchased_rights=1)
    upload = EntitlementImport.objects.create(file_name="rights.xlsx", uploaded_at=now, state="preview")
    line = EntitlementImportRow.objects.create(upload=upload, line=7, effect="refused", problem="It has no end.")
    test = BackTest.objects.create(rule=factories.rule(), settings={}, from_on=today, to_on=today, at=now)
    finding = BackTestFinding.objects.create(back_test=test, subscription=seat, on=today, reason="idle", outcome="back")
    reminder = RenewalReminder.objects.create(entitlement=owned, reduce_by=today, days_before=30, at=now)
    worlds.count_seats()
    UseDay.objects.create(day=today, identifier=seat.identifier, in_use=41)
    for row, word in (
        (line, "It has no end."),
        (finding, "Came back"),
        (reminder, "nobody with an address"),
        (SeatCount.objects.get(), str(seat.profile)),
        (UseDay.objects.get(), "41"),
    ):
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        listed = html.unescape(administrator.get(reverse(f"{name}_changelist")).content.decode())
        form = html.unescape(administrator.get(reverse(f"{name}_change", args=[row.pk])).content.decode())
        assert word in listed and word in form, name
        assert administrator.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 405
    page = administrator.get(reverse("admin:subscriptions_entitlementimport_change", args=[upload.pk]))
    assert f"/core/subscriptions/entitlementimportrow/?upload__id__exact={upload.pk}" in page.content.decode()


def test_the_index_has_the_classic_navigation(administrator: Any) -> None:
    page = administrator.get("/core/").content.decode()
    for path in ("Software Asset &gt; SaaS License", "Software Asset &gt; License Workbench"):
        assert path in page
    assert f'<a href="{PROFILES}">Direct Integration Profiles</a>' in page
    assert "Connection &amp; Credential Aliases" in page


def test_every_list_of_core_ui_stands_in_the_navigation_once(administrator: Any) -> None:
    listed = [entry.of for module in core_navigation.MODULES for entry in module.entries if not entry.query]
    registered = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    assert sorted(listed) == sorted(registered | core_navigation.PAGES)


SCAFFOLD = (
    "axes",
    "solar",
    "select group to view",
    "select user to",
    "recent actions",
    "administration</h1>",
)


def test_no_page_shows_the_scaffold_of_a_framework(administrator: Any) -> None:
    for address in ("/core/", "/core/auth/", "/core/auth/group/", ACCOUNTS, PROFILES, "/core/samsaas/auditentry/"):
        page = administrator.get(address, follow=True).content.decode().lower()
        assert [word for word in SCAFFOLD if word in page] == [], address
    assert "<h1>Roles</h1>" in administrator.get("/core/auth/group/").content.decode()


def test_core_ui_alone_keeps_the_originals_profile_type(administrator: Any, draft: IntegrationProfile) -> None:
    assert "DropBox Subscription" in administrator.get(PROFILES).content.decode()
    assert "DropBox" not in administrator.get(draft.get_absolute_url()).content.decode()


def test_nothing_read_only_can_be_added_changed_or_deleted(administrator: Any, draft: IntegrationProfile) -> None:
    entry = audit.record(administrator.user, "tried", draft)
    for target, row in (("samsaas/auditentry", entry), ("profiles/credential", Credential.objects.get())):
        assert administrator.get(f"/core/{target}/add/").status_code == 403
        assert administrator.get(f"/core/{target}/{row.pk}/delete/").status_code == 403
        assert administrator.post(f"/core/{target}/{row.pk}/change/", {}).status_code == 405
        assert administrator.post(f"/core/{target}/{row.pk}/delete/", {"post": "yes"}).status_code == 405
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def test_credentials_show_no_secret_and_do_not_even_read_one(administrator: Any, draft: IntegrationProfile) -> None:
    Credential.objects.update(access_token="sl.hidden-access", refresh_token="hidden-refresh")
    held = Credential.objects.get()
    for address in ("/core/profiles/credential/", f"/core/profiles/credential/{held.pk}/change/"):
        with CaptureQueriesContext(connection) as asked:
            page = administrator.get(address).content.decode()
        assert held.client_id in page
        assert not any(secret in page for secret in (held.client_secret, "sl.hidden", "hidden-refresh", "fernet:"))
        assert not any("access_token" in query["sql"].partition(" FROM ")[0] for query in asked)


def test_with_the_workspace_new_is_inactive_and_says_where_to_go(administrator: Any) -> None:
    page = administrator.get(PROFILES).content.decode()
    assert '<button type="button" disabled' in page
    assert f'href="{reverse("profile_new")}"' in page
    answer = administrator.get(f"{PROFILES}add/", follow=True)
    assert answer.redirect_chain == [(PROFILES, 302)]
    assert "Direct integration profiles &gt; New" in answer.content.decode()


def test_a_long_list_costs_as_many_queries_as_a_short_one(administrator: Any) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert administrator.get(PROFILES).status_code == 200
        return len(asked)

    worlds.draft_profile("One")
    administrator.get(PROFILES)
    few = cost()
    for number in range(29):
        worlds.draft_profile(f"Number {number}")
    assert cost() == few


def test_times_are_written_as_in_the_workspace(administrator: Any) -> None:
    evening = datetime(2026, 11, 25, 20, 7, tzinfo=UTC)
    User.objects.filter(pk=administrator.user.pk).update(last_login=evening)
    assert "25 Nov 2026, 20:07" in administrator.get(ACCOUNTS).content.decode()


def test_every_role_says_what_it_may_change(administrator: Any) -> None:
    page = administrator.get(f"{ACCOUNTS}add/").content.decode()
    told = {role: page.partition(f"{role}: ")[2].partition("</label>")[0] for role in roles.ROLES}
    words = {
        "person_edit": "people",
        "identifier_map": "identifiers",
        "user_exclusion_edit": "exclusion",
        "software_model_edit": "software models",
        "resolution_rule_edit": "resolution rules",
        "scheduled_job_edit": "scheduled jobs",
        "profile_edit": "integration profiles",
    }
    for name, word in words.items():
        assert word in told[str(policy.required_role(name, "POST"))], name


def test_an_account_is_created_with_a_role_and_that_is_audited(administrator: Any) -> None:
    page = administrator.get(f"{ACCOUNTS}add/").content.decode()
    assert "sam_integrator: integration profiles, connections, tokens, scheduled jobs and resolution rules" in page
    sent = {
        "username": "newcomer",
        "usable_password": "true",
        "password1": "a long password of theirs",
        "password2": "a long password of theirs",
        "groups": [group("sam_integrator")],
    }
    assert administrator.post(f"{ACCOUNTS}add/", sent).status_code == 302
    newcomer = User.objects.get(username="newcomer")
    entry = AuditEntry.objects.get(verb="created account")
    assert (entry.actor_id, entry.object_id) == (administrator.user.pk, str(newcomer.pk))
    assert entry.detail == {"roles": ["sam_integrator"], "superuser": False, "active": True}


def test_changing_roles_superuser_or_active_is_audited_with_before_and_after(administrator: Any, account: Any) -> None:
    user = account("sam_user")
    sent = fields_of(user, groups=[group("sam_admin")], is_superuser=True)
    assert administrator.post(f"{ACCOUNTS}{user.pk}/change/", sent).status_code == 302
    entry = AuditEntry.objects.get(verb="changed access")
    assert entry.detail == {
        "roles": {"before": ["sam_user"], "after": ["sam_admin"]},
        "superuser": {"before": False, "after": True},
    }
    user.refresh_from_db()
    administrator.post(f"{ACCOUNTS}{user.pk}/change/", fields_of(user, is_active=False))
    assert AuditEntry.objects.filter(verb="changed access").first().detail["active"] == {"before": True, "after": False}


def test_changing_a_name_only_is_no_change_of_access(administrator: Any, account: Any) -> None:
    user = account("sam_user")
    administrator.post(f"{ACCOUNTS}{user.pk}/change/", fields_of(user, first_name="Ada"))
    assert User.objects.get(pk=user.pk).first_name == "Ada"
    assert not AuditEntry.objects.filter(verb="changed access").exists()


def test_the_last_administrator_stays(administrator: Any) -> None:
    own = f"{ACCOUNTS}{administrator.user.pk}/change/"
    for change in ({"groups": []}, {"is_active": False}):
        answer = administrator.post(own, fields_of(administrator.user, **change))
        assert "This is the last administrator" in answer.content.decode()
    assert administrator.get("/core/").status_code == 200


def test_a_password_set_by_an_administrator_is_audited_without_it(administrator: Any, account: Any) -> None:
    user = account("sam_user")
    sent = {"usable_password": "true", "password1": "quite another one", "password2": "quite another one"}
    assert administrator.post(f"{ACCOUNTS}{user.pk}/password/", sent).status_code == 302
    entry = AuditEntry.objects.get(verb="set password")
    assert entry.object_name == "sam_user"
    assert "another" not in str(entry.detail)


def test_accounts_and_roles_cannot_be_deleted(administrator: Any, account: Any) -> None:
    user = account("sam_user")
    assert administrator.post(f"{ACCOUNTS}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    assert administrator.post(f"/core/auth/group/{group('sam_user')}/delete/", {"post": "yes"}).status_code == 403


EDITABLE = {User: {"add", "change"}}


def test_core_ui_lets_nobody_edit_a_table_that_would_hide_traces(account: Any, administrator: Any, rf: Any) -> None:
    """Nobody is a superuser, too: accounts are the only thing that can be edited, and nothing can be deleted."""
    request = rf.get("/core/")
    for request.user in (account("", username="root", is_superuser=True, is_staff=True), administrator.user):
        for model, model_admin in admin.site._registry.items():
            may = {act for act in ("add", "change", "delete") if getattr(model_admin, f"has_{act}_permission")(request)}
            assert may == EDITABLE.get(model, set()), model
            assert not model_admin.get_actions(request) and not model_admin.get_inline_instances(request), model
            assert not getattr(model_admin, "list_editable", ()), model


def test_only_our_own_tables_are_there_whoever_registers_more(administrator: Any) -> None:
    class Greedy(admin.ModelAdmin):
        list_display = ("session_key", "expire_date")

    labels = {model._meta.app_label for model in admin.site._registry}
    assert labels == {"auth", "profiles", "reclamation", "samsaas", "subscriptions"}
    site = CoreUISite()
    site.register(Session, Greedy)
    site.register([AccessAttempt])
    assert not site._registry
    assert administrator.get("/core/axes/accessattempt/").status_code == 404


def test_a_superuser_is_refused_by_every_address_that_would_edit_such_a_table(account: Any, client: Any) -> None:
    client.force_login(account("", username="root", is_superuser=True, is_staff=True))
    row = audit.record(None, "tried", None)
    rows, one = changelist(AuditEntry), reverse("admin:samsaas_auditentry_change", args=[row.pk])
    assert client.get(one).status_code == 200
    before = AuditEntry.objects.values().get(pk=row.pk)
    acts = [(one, {"verb": "x"}), (f"{rows}{row.pk}/delete/", {"post": "yes"}), (f"{rows}add/", {"verb": "x"})]
    assert [client.post(address, sent).status_code for address, sent in acts] == [405, 405, 405]
    client.post(rows, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert AuditEntry.objects.values().get(pk=row.pk) == before


def test_changing_who_an_account_is_for_is_audited(administrator: Any, account: Any) -> None:
    user = account("sam_user", email="ann@example.com")
    administrator.post(f"{ACCOUNTS}{user.pk}/change/", fields_of(user, email="eve@example.com", username="ann2"))
    entry = AuditEntry.objects.get(verb="changed account")
    assert entry.detail == {
        "username": {"before": "sam_user", "after": "ann2"},
        "email": {"before": "ann@example.com", "after": "eve@example.com"},
    }
    assert entry.actor_id == administrator.user.pk and entry.object_id == str(user.pk)
