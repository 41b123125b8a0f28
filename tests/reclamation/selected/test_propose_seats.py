"""Selected subscriptions of their list are proposed at once: exactly those that were shown, and why not the others."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from reclamation.models import Exemption, RemovalCandidate
from reclamation.selected import propose_seats
from reclamation.states import State
from samsaas.models import AuditEntry
from subscriptions.models import SoftwareModel, Subscription
from tests import factories, pages
from tests.reclamation.selected.choosing import queries_of

pytestmark = pytest.mark.django_db
LIST = "/subscriptions/"
SELECT, PROPOSE = f"{LIST}select/", f"{LIST}propose/"
TOKEN = "selection-1"


@pytest.fixture
def user(signed_in: Any) -> Any:
    return signed_in("sam_user", username="maria")


@pytest.fixture
def model() -> SoftwareModel:
    return factories.software_model(cost_override="120", currency="EUR")


def seats(count: int, model: SoftwareModel, **fields: Any) -> list[Subscription]:
    of, kind = fields.pop("profile", None) or factories.profile(), factories.identifier(software_model=model)
    return [factories.subscription(profile=of, identifier=kind, **fields) for _ in range(count)]


@dataclass
class Asked:
    """The page that asks, and what its form carries."""

    client: Any
    html: str

    @property
    def text(self) -> str:
        return pages.text_of(self.html)

    def confirm(self, **fields: str) -> Asked:
        hidden = dict(re.findall(r'<input type="hidden" name="(selection|seen)" value="([^"]*)"', self.html))
        answer = self.client.post(PROPOSE, {**hidden, "justification": "low_usage", **fields}, follow=True)
        return Asked(self.client, answer.content.decode())


def press(client: Any, action: str, query: str = "", **fields: Any) -> Any:
    """Press a button of the bar with all rows of a filter, or with what is given, selected."""
    if not fields:
        client.post(SELECT, {"do": "all", "selection": TOKEN, "place": query})
    return client.post(SELECT, {"do": action, "selection": TOKEN, "place": query, "shown": "", **fields}, follow=True)


def propose_all(client: Any, query: str = "") -> Asked:
    return Asked(client, press(client, "propose", query).content.decode())


def test_all_of_a_filter_over_pages_become_candidates_with_evidence_history_and_audit(
    user: Any, model: SoftwareModel
) -> None:
    idle = seats(60, model, status=Subscription.Status.SUSPENDED)
    kept_out = seats(1, model, status=Subscription.Status.ACTIVE)[0]
    factories.activity(idle[0], timezone.now() - timedelta(days=40), kind="file_add")
    page = propose_all(user, "status=suspended&per_page=25")
    assert "Propose 60 subscriptions for removal?" in page.text and "All 60 can be proposed." in page.text
    assert "They cost EUR 7,200.00 a year." in page.text and "and 50 more" in page.text
    assert not RemovalCandidate.objects.exists(), "the page does nothing"
    done = page.confirm(justification="unallocated", note="Asked for by Sales")
    assert "60 candidates were opened. Nothing was removed." in done.text
    made = RemovalCandidate.objects.order_by("pk")
    assert {one.subscription_id for one in made} == {seat.pk for seat in idle}
    assert {(one.state, one.reason, one.justification, one.note, one.opened_by) for one in made} == {
        (State.READY, "manual", "unallocated", "Asked for by Sales", user.user)
    }
    assert made[0].evidence["kind"] == "file_add" and made[1].evidence["last_activity"] is None
    assert all(one.history.get().to_state == State.READY for one in made)
    entries = AuditEntry.objects.filter(verb="opened removal candidate", actor_name="maria")
    assert {entry.object_id for entry in entries} == {str(one.pk) for one in made}
    assert not kept_out.removal_candidates.exists()


def test_those_that_cannot_be_proposed_are_left_out_counted_and_explained(user: Any, model: SoftwareModel) -> None:
    today = timezone.localdate()
    good, candidate, exempt, kept, excluded, ended = seats(6, model)
    factories.candidate(candidate)
    Exemption.objects.create(subscription=exempt, reason="Needed", at=timezone.now(), by=user.user)
    Subscription.objects.filter(pk=kept.pk).update(keep_until=today)
    Subscription.objects.filter(pk=excluded.pk).update(excluded=True)
    Subscription.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    unmanaged = seats(2, factories.software_model(under_management=False))
    page = propose_all(user, "seats=all")
    assert "1 of 8 can be proposed; 2 are not under management" in page.text
    for reason in ("proposed already", "exempt", "kept until a later day", "excluded"):
        assert f"1 is {reason}" in page.text, reason
    assert "1 has ended" in page.text
    page.confirm()
    assert set(RemovalCandidate.objects.values_list("subscription", flat=True)) == {good.pk, candidate.pk}
    assert not RemovalCandidate.objects.filter(subscription__in=unmanaged).exists()


def test_the_page_says_what_is_worth_knowing_of_them(user: Any, model: SoftwareModel) -> None:
    busy, admin, *_ = seats(3, model)
    factories.activity(busy, timezone.now())
    Subscription.objects.filter(pk=admin.pk).update(is_admin=True)
    seats(1, factories.software_model())
    text = propose_all(user).text
    assert "They cost EUR 360.00 a year, apart from 1 without a known price." in text
    assert "1 of them was used in the last 30 days." in text
    assert "1 of them is an administrator at the vendor." in text


def test_somebody_who_cannot_be_asked_needs_attention_as_when_proposed_alone(user: Any, model: SoftwareModel) -> None:
    seats(1, model, email="")
    propose_all(user).confirm()
    assert RemovalCandidate.objects.get().state == State.ATTENTION_REQUIRED


def test_other_rows_than_the_page_showed_are_asked_about_again_and_what_was_typed_stays(
    user: Any, model: SoftwareModel
) -> None:
    first, *_ = seats(3, model)
    page = propose_all(user)
    factories.candidate(first)
    again = page.confirm(note="What I typed")
    assert "1 fewer matches now than when this page was shown: 2, not 3." in again.text
    assert "What I typed" in again.html and RemovalCandidate.objects.count() == 1
    again.confirm()
    assert RemovalCandidate.objects.count() == 3


def test_a_seat_that_somebody_else_proposes_in_this_moment_is_left_to_them(user: Any, model: SoftwareModel) -> None:
    first, second = seats(2, model)
    theirs = factories.candidate(first)
    values = {"justification": "low_usage", "note": "", "by": user.user, "now": timezone.now()}
    made = propose_seats.run([first.pk, second.pk], **values)
    assert [one.subscription_id for one in made] == [second.pk]
    assert list(first.removal_candidates.all()) == [theirs]


def test_none_at_all_too_many_and_a_selection_that_is_gone_lead_back_to_the_list(
    user: Any, model: SoftwareModel, monkeypatch: Any
) -> None:
    assert "This selection is over" in user.get(f"{PROPOSE}?selection=unknown-1", follow=True).content.decode()
    seats(2, model)
    Subscription.objects.update(excluded=True)
    told = pages.text_of(press(user, "propose", "seats=all").content.decode())
    assert "None of 2 can be proposed; 2 are excluded. Select others." in told
    Subscription.objects.update(excluded=False)
    monkeypatch.setattr("reclamation.selected.seat_views.MOST_AT_ONCE", 1)
    assert "At most 1 can be proposed at once" in press(user, "propose").content.decode()
    assert not RemovalCandidate.objects.exists()


def test_one_and_thirty_cost_the_same_number_of_queries(user: Any, model: SoftwareModel) -> None:
    seats(1, model)

    def ask() -> int:
        press(user, "keep")
        return queries_of(lambda: user.get(f"{PROPOSE}?selection={TOKEN}"))

    few = ask()
    seats(29, model, profile=Subscription.objects.get().profile)
    assert ask() == few


@pytest.mark.one_database
def test_ticked_rows_are_exported_as_a_workbook_or_csv_in_the_order_and_columns_of_the_list(
    user: Any, model: SoftwareModel
) -> None:
    ada, ben, _ = (seats(1, model, display_name=name)[0] for name in ("Ada", "Ben", "Cleo"))
    ticks = {"shown": f"{ada.pk},{ben.pk}", "row": [ada.pk, ben.pk]}
    workbook = press(user, "xlsx", "sort=-display_name", **ticks)
    sheet = load_workbook(io.BytesIO(workbook.getvalue())).active
    assert [row[0].value for row in sheet.rows] == ["Display name", "Ben", "Ada"]
    text = press(user, "csv", "sort=-display_name", **ticks).getvalue().decode("utf-8-sig")
    assert [line.split(",")[0].strip('"') for line in text.splitlines()] == ["Display name", "Ben", "Ada"]
    entry = AuditEntry.objects.filter(verb="exported").latest("pk")
    assert entry.detail["rows"] == 2 and entry.detail["filters"]["selected"] == "yes"
    gone = user.get(f"{LIST}?selection=unknown-1&export=csv", follow=True)
    assert "This selection is over" in gone.content.decode(), "never the whole list instead"


@pytest.mark.one_database
def test_the_list_offers_what_an_account_may_do(signed_in: Any, model: SoftwareModel) -> None:
    seats(1, model)
    shown = {}
    for role in ("sam_user", "sam_admin"):
        page = signed_in(role).get(LIST).content.decode()
        shown[role] = pages.buttons(page.split('class="selection-actions"')[1].split("</form>")[0])
    files = ["Export Excel", "Export CSV"]
    assert shown["sam_user"] == ["Propose for removal", *files]
    assert shown["sam_admin"] == ["Propose for removal", "Exclude", *files]
