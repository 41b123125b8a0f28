"""The audit trail: who did what and when, found again, never changed, and without a secret."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from profiles.connection import credentials
from profiles.connectors.dropbox.sandbox import application
from profiles.models import Credential
from samsaas import audit
from samsaas.models import AuditEntry
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST = "/audit/"


@pytest.fixture
def auditor(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def trail(account: Any) -> None:
    """Two people and the system, over three days."""
    for day, who, verb, name in (
        (1, "ann", "created profile", "Dropbox Europe"),
        (2, "ann", "changed profile", "Dropbox Europe"),
        (2, "bob", "disconnected", "Dropbox Asia"),
        (3, "", "needs authorization", "Dropbox Asia"),
    ):
        at = datetime(2026, 3, day, 23, 30, tzinfo=UTC)
        factories.audit_entry(at=at, actor_name=who, verb=verb, object_name=name)


def told(client: Any, query: str = "") -> list[str]:
    """The verbs shown, newest first."""
    page = client.get(f"{LIST}?{query}").content.decode()
    body = page.split("<tbody>", 1)[1].split("</tbody>", 1)[0] if "<tbody>" in page else ""
    return [pages.text_of(row.split("</td>")[2]) for row in body.split("</tr>")[:-1]]


@pytest.mark.parametrize(
    ("query", "verbs"),
    [
        ("", ["Needs authorization", "Disconnected", "Changed profile", "Created profile"]),
        ("sort=at", ["Created profile", "Changed profile", "Disconnected", "Needs authorization"]),
        ("q=europe", ["Changed profile", "Created profile"]),
        ("q=BOB", ["Disconnected"]),
        ("verb=created+profile", ["Created profile"]),
        ("actor=ann", ["Changed profile", "Created profile"]),
        ("actor=ann&verb=changed+profile", ["Changed profile"]),
        ("since=2026-03-02", ["Needs authorization", "Disconnected", "Changed profile"]),
        ("until=2026-03-01", ["Created profile"]),
        ("since=2026-03-02&until=2026-03-02&actor=bob", ["Disconnected"]),
        ("since=2026-03-04", []),
        ("q=nobody", []),
    ],
)
def test_the_trail_is_searched_by_person_action_object_and_day(
    auditor: Any, trail: None, query: str, verbs: list[str]
) -> None:
    assert sorted(told(auditor, query)) == sorted(verbs)
    if "sort" in query or not query:
        assert told(auditor, query)[0] == verbs[0] and told(auditor, query)[-1] == verbs[-1]


def test_a_day_is_one_of_the_installations_zone(auditor: Any, trail: None, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    assert told(auditor, "until=2026-03-02") == ["Created profile"], "23:30 UTC is the next morning in Tokyo"
    assert "2 Mar 2026, 08:30" in auditor.get(LIST).content.decode()


@pytest.mark.parametrize(
    "value", ["0001-01-01", "9999-12-31", "2026-02-30", "yesterday", "99999-01-01", "2026-03-02T10:00"]
)
def test_an_impossible_day_gives_a_page(auditor: Any, trail: None, value: str) -> None:
    for name in ("since", "until"):
        assert auditor.get(f"{LIST}?{name}={value}").status_code == 200


def test_nonsense_in_any_parameter_gives_a_page(auditor: Any, trail: None) -> None:
    for query in worlds.nonsense(("q", "verb", "actor", "since", "until", "sort", "page", "per_page")):
        assert auditor.get(f"{LIST}?{query}").status_code == 200, query[:300]


@pytest.mark.parametrize(("role", "status"), [("", 403), ("sam_user", 403), ("sam_integrator", 403), ("admin", 200)])
def test_the_trail_is_for_those_who_answer_for_it(signed_in: Any, trail: None, role: str, status: int) -> None:
    assert signed_in(role).get(LIST).status_code == status


def test_a_day_of_connecting_and_changing_leaves_lines_and_no_secret(
    auditor: Any, integrator: Any, draft: Any, dropbox: Any
) -> None:
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    integrator.get(back, follow=True)
    worlds.work()
    held = Credential.objects.get()
    integrator.get(back, follow=True)
    credentials.save_client(draft.alias, "reclamation", application.RECLAIM_KEY, application.RECLAIM_SECRET)
    form = {"display_name": "Renamed", "client_id": "other-key", "client_secret": "canary-new-secret", "version": "1"}
    form |= {"analyze_activity_from": draft.analyze_activity_from.strftime("%Y-%m-%dT%H:%M"), "pull_activity": "on"}
    form |= {"reclamation_client_id": "second", "reclamation_client_secret": "canary-second-secret"}
    assert integrator.post(f"/integration-profiles/{draft.pk}/edit/", form).status_code == 302
    integrator.post(f"/integration-profiles/{draft.pk}/disconnect/")
    integrator.post(f"/integration-profiles/{draft.pk}/delete/", {"display_name": "Renamed"})

    page = auditor.get(f"{LIST}?per_page=100").content.decode()
    stored = str(list(AuditEntry.objects.values()))
    parameters = dict(re.findall(r"(code|state)=([^&]+)", back))
    secrets = [held.client_secret, held.access_token, held.refresh_token, *parameters.values()]
    secrets += ["canary-new-secret", "canary-second-secret", application.RECLAIM_SECRET, "fernet:"]
    assert len(secrets) == 9 and all(secrets)
    assert not [secret for secret in secrets if secret in page or secret in stored]
    for verb in ("Started authorization", "Finished authorization", "Requested run", "Changed profile", "Disconnected"):
        assert verb in page
    assert "Deleted profile" in page and integrator.user.username in page
    changed = AuditEntry.objects.get(verb="changed profile").detail
    assert changed["before"]["display_name"] == "Dropbox Europe" and changed["after"]["display_name"] == "Renamed"
    assert changed["credentials"] == ["subscriptions", "reclamation"]


def test_what_others_chose_is_inert_in_the_trail(auditor: Any) -> None:
    hostile = '<script>alert(1)</script>\u202e"'
    detail = {hostile: hostile, "list": [hostile, {"deep": [hostile, None, True, 1.5]}], "flat": [hostile], "none": []}
    factories.audit_entry(object_name=hostile, detail=detail)
    page = auditor.get(LIST).content.decode()
    assert "<script>alert" not in page and page.count("&lt;script&gt;alert") == 6
    assert "\u202e" not in page and page.count("U+202E") == 6


def test_lines_cannot_be_changed_or_deleted_by_the_application(db: None) -> None:
    entry = audit.record(None, "tried", None, why="test")
    entry.verb = "something else"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
    assert AuditEntry.objects.get().verb == "tried"


def test_a_line_keeps_the_name_of_a_deleted_account(auditor: Any, account: Any) -> None:
    leaver = account("sam_user", username="leaver")
    audit.record(leaver, "looked", None)
    leaver.delete()
    assert told(auditor, "actor=leaver") == ["Looked"]


def test_a_long_trail_costs_as_many_queries_as_one_line(auditor: Any) -> None:
    factories.audit_entry(actor_name="ann")
    one = pages.cost(auditor, LIST)
    for number in range(29):
        factories.audit_entry(actor_name=f"person {number}", verb=f"did {number}")
    assert pages.cost(auditor, LIST) == one


def test_an_entry_leads_to_what_it_names_and_to_all_that_happened_to_it(
    auditor: Any, signed_in: Any, draft: Any
) -> None:
    gone = factories.audit_entry(verb="deleted profile", object_type="Integration Profile", object_id="99")
    audit.record(None, "looked at profile", draft)
    page = auditor.get(LIST).content.decode()
    assert f'href="{draft.get_absolute_url()}"><bdi>{draft.display_name}' in page
    assert f"/integration-profiles/{gone.object_id}/" not in page, "it is deleted"
    audit.record(None, "changed account", auditor.user)
    own = f'href="/accounts/{auditor.user.pk}/"'
    assert own not in auditor.get(LIST).content.decode(), "accounts are for administrators"
    assert own in signed_in("admin").get(LIST).content.decode()
    assert told(auditor, f"kind=Integration+Profile&number={draft.pk}") == ["Looked at profile"]


def test_the_filtered_entries_go_into_a_csv_file_and_the_trail_says_so(auditor: Any, trail: None) -> None:
    factories.audit_entry(actor_name="bob", verb="changed", object_type="Person", object_id="7", detail={"at": "Köln"})
    answer = auditor.get(f"{LIST}?actor=bob&verb=changed&export=csv")
    lines = list(csv.reader(answer.getvalue().decode("utf-8-sig").splitlines()))
    assert len(lines) == 2 and lines[1][1:3] == ["bob", "Changed"]
    assert lines[1][-3:] == ['{"at": "Köln"}', "Person", "7"]
    entry = AuditEntry.objects.get(verb="exported")
    assert entry.actor_id == auditor.user.pk and entry.detail["filters"]["actor"] == "bob"
    assert auditor.get(f"{LIST}?since=soon&export=csv")["Location"] == f"{LIST}?since=soon"
