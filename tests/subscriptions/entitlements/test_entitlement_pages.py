"""Entitlements in the browser: whoever records, corrects, renews or retires one sees what it means before and after."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.utils import timezone

from samsaas.models import AuditEntry
from subscriptions.entitlements import edit, states
from subscriptions.entitlements.check import overlapping_terms
from subscriptions.entitlements.recording.groups import GROUPS
from subscriptions.entitlements.terms import Book
from subscriptions.models import Allocation, Entitlement, ReconciliationRun, SoftwareModel
from tests import factories, pages, worlds
from tests.subscriptions.entitlements.owned_world import (
    LIST,
    NEW,
    day,
    draft_of,
    drafted,
    form_of,
    published,
    seat_of,
    staged,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_user")


def told(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def test_the_first_visit_says_what_an_entitlement_is_and_where_to_begin(keeper: Any) -> None:
    page = keeper.get(LIST).content.decode()
    assert "No entitlement is recorded yet" in page and 'href="/entitlements/new/"' in page
    assert 'href="/entitlements/imports/"' in page and "Export" not in page
    assert "Entitlements" in keeper.get("/").content.decode(), "in the navigation"


def walk(client: Any, values: dict[str, Any]) -> Any:
    """Fill in the guided form step by step, each with its own fields only, as a person sees them."""
    answer = client.get(NEW)
    for step, group in enumerate(GROUPS):
        form = answer.context["form"]
        held = {name: form[name].value() for name in form.fields}
        sent = {**held, **{name: values[name] for name in group.fields if name in values}}
        sent = {name: value for name, value in sent.items() if value not in (None, False)}
        go = "save" if step == len(GROUPS) - 1 else "next"
        answer = client.post(NEW, {**sent, "step": step, "go": go}, follow=True)
    return answer


def test_four_steps_record_an_entitlement_of_a_software_model_that_nobody_has_named_before(keeper: Any) -> None:
    values = {"publisher": "Slack", "product": "Slack", "edition": "Business+", "purchased_rights": "25"}
    values |= {"start": "2026-02-01", "end": "2027-01-31", "period": "monthly", "unit_cost": "12.5", "currency": "USD"}
    page = told(walk(keeper, {**values, "minimum_rights": "20", "auto_renew": "on", "contract": "C-7"}))
    one = Entitlement.objects.get()
    assert (one.state, str(one.software_model), one.minimum_rights, one.auto_renew) == (
        "build",
        "Slack Business+",
        20,
        True,
    )
    assert "saved as a draft" in page and "USD 3,750.00" in page and "USD 150.00 a right" in page
    assert AuditEntry.objects.filter(verb="recorded entitlement", object_id=str(one.pk)).exists()


def test_a_step_is_left_only_when_its_own_fields_are_right_and_nothing_is_lost_on_the_way_back(keeper: Any) -> None:
    model = factories.software_model()
    first = keeper.post(NEW, {"step": "0", "go": "next", "publisher": "Slack"})
    assert "name the product of a new one" in told(first) and "Start date" not in told(first)
    second = keeper.post(NEW, {"step": "0", "go": "next", "software_model": model.pk, "agreement_type": "standard"})
    assert "Step 2 of 4" in told(second) and "This field is required" not in told(second)
    fresh = second.context["form"]
    assert not fresh["unlimited"].value() and fresh["purchased_rights"].value() in ("", None)
    held = {"software_model": model.pk, "publisher_part_number": "P-1", "agreement_type": "standard", "step": "1"}
    bad = keeper.post(NEW, {**held, "go": "next", "purchased_rights": "5", "start": "2026-03-01", "end": "2026-02-01"})
    assert "The end date 1 Feb 2026 is before the start date 1 Mar 2026." in told(bad)
    back = keeper.post(NEW, {**held, "go": "back", "purchased_rights": "5"}).content.decode()
    assert 'value="P-1"' in back and re.search(rf'value="{model.pk}"\s+selected', back)
    assert '<input type="hidden" name="purchased_rights" value="5"' in back
    assert not Entitlement.objects.exists()


def test_an_error_that_only_the_last_step_finds_leads_back_to_its_field(keeper: Any) -> None:
    model = factories.software_model()
    sent = {"software_model": model.pk, "purchased_rights": "", "start": "2026-01-01", "period": "annually"}
    page = keeper.post(
        NEW, {**sent, "agreement_type": "standard", "notice_days": 30, "minimum_rights": 0, "step": 3, "go": "save"}
    )
    assert "Step 2 of 4" in told(page) and "Say how many rights were bought" in told(page)


def test_the_guide_names_what_a_renewal_could_renew(keeper: Any) -> None:
    one = published(keeper.user)
    page = told(
        keeper.post(
            NEW, {"step": "0", "go": "next", "software_model": one.software_model_id, "agreement_type": "standard"}
        )
    )
    assert one.number in page and "Recorded for this software model" in page


REFUSED = {
    "no rights": ({"purchased_rights": ""}, "Say how many rights were bought"),
    "negative": ({"purchased_rights": "-1"}, "greater than or equal to 0"),
    "a fraction": ({"purchased_rights": "1.5"}, "Enter a whole number"),
    "huge": ({"purchased_rights": "10000001"}, "less than or equal to 10000000"),
    "far too huge": ({"purchased_rights": "9" * 400}, "less than or equal to 10000000"),
    "unlimited with a number": ({"unlimited": "on"}, "no number of rights"),
    "an end before the start": ({"end": "2020-01-01"}, "is before the start date"),
    "no currency": ({"currency": ""}, "A cost needs its currency"),
    "a currency that nobody pays with": ({"currency": "XXX"}, "Select a valid choice"),
    "a cost beyond reason": ({"unit_cost": "10000001"}, "less than or equal to 10000000"),
    "a total beyond reason": ({"total_cost": "99999999999", "period": "monthly"}, "too large"),
    "not a cost": ({"unit_cost": "NaN"}, "Enter a number"),
    "five decimals": ({"unit_cost": "1.00001"}, "no more than 4 decimal places"),
    "more committed than bought": ({"minimum_rights": "11"}, "more than the purchased rights"),
    "a notice of two years": ({"notice_days": "700"}, "less than or equal to 365"),
    "a renewal of nothing": ({"renews": "ENT9999999"}, "no entitlement of this number"),
    "a renewal of nonsense": ({"renews": "'; DROP TABLE"}, "no entitlement of this number"),
    "no end for a whole term": ({"period": "entire", "end": ""}, "needs an end date"),
    "a hidden character": ({"contract": "C\u202e31"}, "cannot be shown"),
    "a model and a new one": ({"publisher": "Slack"}, "not both"),
    "a model that is gone": ({"software_model": "999999"}, "Select a valid choice"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_stored(keeper: Any, case: str) -> None:
    change, reason = REFUSED[case]
    sent = form_of(draft_of(), **change)
    answer = keeper.post(f"{NEW}?form=plain", sent)
    assert answer.status_code == 200 and reason in told(answer)
    assert not Entitlement.objects.exists()


def test_the_plain_form_takes_a_model_by_its_name_without_regard_to_case(keeper: Any) -> None:
    model = factories.software_model(publisher="Slack", product="Slack", edition="")
    sent = form_of(draft_of(model), software_model="", publisher="SLACK", product="slack ")
    keeper.post(f"{NEW}?form=plain", sent)
    assert Entitlement.objects.get().software_model == model and SoftwareModel.objects.count() == 1


def test_a_draft_is_published_with_what_it_means_said_before(keeper: Any) -> None:
    one = drafted(keeper.user)
    asked = told(keeper.get(f"{one.get_absolute_url()}publish/"))
    assert "10 rights" in asked and "EUR 1,200.00 a year" in asked and "cannot be deleted" in asked
    page = told(keeper.post(f"{one.get_absolute_url()}publish/", follow=True))
    assert "was published" in page and "In use" in page
    assert ReconciliationRun.objects.filter(software_model=one.software_model).exists()
    again = told(keeper.post(f"{one.get_absolute_url()}publish/", follow=True))
    assert "It is published already." in again


def test_a_correction_needs_a_reason_and_leaves_a_version_that_says_what_changed(keeper: Any) -> None:
    one = published(keeper.user)
    path = f"{one.get_absolute_url()}edit/"
    assert "Say why this is corrected" in told(keeper.post(path, form_of(one, purchased_rights="9")))
    one.refresh_from_db()
    assert one.purchased_rights == 10
    page = told(keeper.post(path, form_of(one, purchased_rights="9", reason="Invoice says 9"), follow=True))
    assert f"{one.number} was corrected." in page
    versions = pages.rows(keeper.get(f"{one.get_absolute_url()}versions/").content.decode(), "Version")
    assert versions["3"][2:] == ["Purchased rights: 10 → 9", "Invoice says 9"]
    assert versions["2"][2] == "State: Build → In use" and versions["1"][2] == "Recorded"
    assert "Nothing was changed." in told(keeper.post(path, form_of(Entitlement.objects.get(pk=one.pk)), follow=True))


@pytest.mark.parametrize("state", ["draft", "published"])
def test_whoever_saves_second_is_told_and_overwrites_nothing(keeper: Any, state: str) -> None:
    one = drafted(keeper.user) if state == "draft" else published(keeper.user)
    opened = form_of(one, contract="Mine", reason="Mine")
    path = f"{one.get_absolute_url()}edit/"
    keeper.post(path, form_of(one, contract="Theirs", reason="Theirs"))
    answer = keeper.post(path, opened)
    assert (
        "Somebody else saved this entitlement meanwhile" in told(answer) and 'value="Mine"' in answer.content.decode()
    )
    one.refresh_from_db()
    assert one.contract == "Theirs"


def test_rights_below_what_is_allocated_are_refused_with_the_names(keeper: Any) -> None:
    one = published(keeper.user, purchased_rights=2)
    for name in ("Ann", "Bob"):
        person = factories.person(name=name)
        Allocation.objects.create(entitlement=one, person=person, assigned_on=one.start)
    sent = form_of(one, purchased_rights="1", reason="Fewer")
    page = told(keeper.post(f"{one.get_absolute_url()}edit/", sent))
    assert "2 rights are allocated, to Ann, Bob. Release some first." in page


def test_an_overlap_without_a_link_is_warned_of_and_the_link_is_offered(keeper: Any) -> None:
    before = published(keeper.user)
    start = before.start + timedelta(days=100)
    answer = keeper.post(f"{NEW}?form=plain", form_of(draft_of(before.software_model, start=start)), follow=True)
    later = Entitlement.objects.latest("pk")
    page = answer.content.decode()
    assert f"Its term overlaps with {before.number}, so the rights of both add up" in page
    offer = f"{later.get_absolute_url()}edit/?renews={before.number}"
    assert offer in page and f'name="renews" value="{before.number}"' in keeper.get(offer).content.decode()
    keeper.post(offer, form_of(later, renews=before.number))
    later.refresh_from_db()
    assert later.renews == before and "overlaps" not in told(keeper.get(later.get_absolute_url()))


def test_a_new_purchase_beside_a_renewal_is_warned_of_and_one_after_its_end_is_not(keeper: Any) -> None:
    first = published(keeper.user, start=day(-700), end=day(-336))
    renewal = published(keeper.user, first.software_model, start=day(-335), end=day(30), renews=first)
    early = published(keeper.user, first.software_model, start=day(-400), end=day(-390))
    retired = published(keeper.user, first.software_model, start=day(-300), end=day(200))
    edit.retire(retired, day(-10), reason="Gone", by=keeper.user, now=timezone.now())
    beside = drafted(keeper.user, first.software_model, start=day(-10), end=day(300))
    after = drafted(keeper.user, first.software_model, start=day(31), end=day(300))
    assert overlapping_terms(beside) == [renewal] and overlapping_terms(after) == []
    assert overlapping_terms(early) == [first], "its renewal had not begun"


def test_costs_that_disagree_are_warned_of(keeper: Any) -> None:
    answer = keeper.post(f"{NEW}?form=plain", form_of(draft_of(), total_cost="999"), follow=True)
    assert "Unit cost and total cost say different things. The total cost counts." in told(answer)
    assert "EUR 999.00" in told(answer)


def test_retiring_needs_a_reason_and_says_from_when_on(keeper: Any) -> None:
    one = published(keeper.user)
    path = f"{one.get_absolute_url()}retire/"
    assert "no longer count from the day you choose on" in told(keeper.get(path))
    assert "This field is required" in told(keeper.post(path, {"on": "2026-06-01", "reason": ""}))
    assert "Say why" in told(keeper.post(path, {"on": "2026-06-01", "reason": "  "})) or not one.retired_on
    page = told(keeper.post(path, {"on": day(0).isoformat(), "reason": "Product dropped"}, follow=True))
    assert "is retired from" in page and "Retired" in page and "Renew" not in pages.buttons(page)
    assert "Only a published entitlement can be retired" in told(keeper.post(path, {"on": "2026-06-01", "reason": "x"}))


def test_a_draft_is_deleted_with_its_allocations_and_what_was_published_is_not(keeper: Any) -> None:
    one, kept = drafted(keeper.user), published(keeper.user)
    Allocation.objects.create(entitlement=one, person=factories.person(), assigned_on=one.start)
    assert "1 allocation goes with it" in told(keeper.get(f"{one.get_absolute_url()}delete/"))
    assert "The draft was deleted." in told(keeper.post(f"{one.get_absolute_url()}delete/", follow=True))
    assert "It is published." in told(keeper.post(f"{kept.get_absolute_url()}delete/", follow=True))
    assert list(Entitlement.objects.all()) == [kept]
    assert AuditEntry.objects.filter(verb="deleted entitlement").exists()


def renewable(keeper: Any, people: int = 12, rights: int = 20) -> Entitlement:
    """An entitlement that ends soon, with people who use it, and a position that knows it."""
    model = factories.software_model()
    for _ in range(people):
        seat_of(factories.person(), model)
    year = {"start": day(-340), "end": day(24)}
    one = published(keeper.user, model, purchased_rights=rights, auto_renew=True, minimum_rights=5, **year)
    worlds.work_on()
    return one


def test_a_renewal_is_a_linked_draft_with_dates_and_the_recommended_rights(keeper: Any) -> None:
    one = renewable(keeper)
    page = keeper.get(f"{one.get_absolute_url()}renew/")
    form = page.context["form"]
    assert form["purchased_rights"].value() == 13, "twelve in use, and five per cent more"
    assert form["start"].value() == one.end + timedelta(days=1) and form["renews"].value() == one.number
    assert "13 rights are recommended" in told(page) and "know of a reduction by" in told(page)
    keeper.post(f"{one.get_absolute_url()}renew/", form_of(page.context["form"].instance))
    renewal = Entitlement.objects.latest("pk")
    assert (renewal.state, renewal.renews, renewal.purchased_rights) == ("build", one, 13)
    detail = told(keeper.get(one.get_absolute_url()))
    assert f"Its renewal {renewal.number} is a draft" in detail
    again = told(keeper.get(f"{one.get_absolute_url()}renew/", follow=True))
    assert f"has a renewal already: {renewal.number}" in again


def test_without_a_position_a_renewal_keeps_the_number_and_recommends_nothing(keeper: Any) -> None:
    one = published(keeper.user)
    page = keeper.get(f"{one.get_absolute_url()}renew/")
    assert page.context["form"]["purchased_rights"].value() == 10 and "recommended" not in told(page)


@pytest.mark.parametrize("kind", ["draft", "endless"])
def test_what_cannot_be_renewed_says_why(keeper: Any, kind: str) -> None:
    one = drafted(keeper.user) if kind == "draft" else published(keeper.user, period="monthly", end=None)
    page = told(keeper.get(f"{one.get_absolute_url()}renew/", follow=True))
    assert ("Publish it first" if kind == "draft" else "goes on without an end") in page


def test_a_chain_of_renewals_shows_the_gap_in_which_nothing_counts(keeper: Any) -> None:
    one = published(keeper.user, start=date(2025, 1, 1), end=date(2025, 12, 31))
    later = {"start": date(2026, 1, 15), "end": date(2026, 12, 31), "renews": one}
    renewal = published(keeper.user, one.software_model, **later)
    page = told(keeper.get(one.get_absolute_url()))
    assert "No right of either counts from 1 Jan 2026 to 14 Jan 2026." in page and renewal.number in page
    assert f"{one.number} has a renewal already" in told(keeper.get(f"{one.get_absolute_url()}renew/", follow=True))


def test_an_entitlement_of_unlimited_rights_has_no_price_and_nothing_to_allocate(keeper: Any) -> None:
    one = published(keeper.user, unlimited=True, purchased_rights=0, unit_cost=None, total_cost=Decimal(5000))
    page = told(keeper.get(one.get_absolute_url()))
    assert "Unlimited" in page and "EUR 5,000.00" in page and "everybody is covered" in page
    assert "a right" not in page.split("Cost a year")[1][:60]


def test_unknown_cost_is_not_zero(keeper: Any) -> None:
    one = published(keeper.user, unit_cost=None, currency="")
    assert "not known" in told(keeper.get(one.get_absolute_url()))
    assert "EUR" not in told(keeper.get(LIST)) and "0.00" not in told(keeper.get(LIST))


def test_the_list_shows_finds_and_filters(keeper: Any) -> None:
    model = factories.software_model(publisher="Slack", product="Slack", edition="Pro")
    one = published(keeper.user, model, contract="C-2026/17")
    published(keeper.user, start=day(10), end=day(200), purchased_rights=7)
    drafted(keeper.user)
    counts = {
        "": 3, "?state=in_use": 1, "?state=pending": 1, "?state=build": 1, "?state=expired": 0, "?publisher=Slack": 1,
        f"?model={model.pk}": 1, f"?q={one.number}": 1, "?q=c-2026": 1, "?q=slack": 1, "?q=nothing": 0, "?ends=open": 0,
    }  # fmt: skip
    assert {query: pages.rows_behind(keeper, LIST + query) for query in counts} == counts
    for query in worlds.nonsense(("q", "state", "publisher", "model", "ends", "sort", "page", "per_page", "selection")):
        assert keeper.get(f"{LIST}?{query}").status_code == 200, query


def test_the_list_costs_the_same_for_one_row_and_for_thirty(keeper: Any) -> None:
    model = factories.software_model()
    one = published(keeper.user, model)
    few = pages.cost(keeper, LIST), pages.cost(keeper, one.get_absolute_url()), pages.cost(keeper, f"{LIST}export/")
    for place in range(29):
        other = published(
            keeper.user, model, start=date(2030 + place, 1, 1), end=date(2030 + place, 6, 1), purchased_rights=40
        )
        Allocation.objects.create(entitlement=other, person=factories.person(), assigned_on=other.start)
        Allocation.objects.create(entitlement=one, person=factories.person(), assigned_on=one.start, quantity=1)
    many = pages.cost(keeper, LIST), pages.cost(keeper, one.get_absolute_url()), pages.cost(keeper, f"{LIST}export/")
    assert few == many


def test_the_state_in_the_list_is_the_state_in_the_rules(keeper: Any) -> None:
    model = factories.software_model()
    past, now, coming = (day(-400), day(-200)), (day(-100), day(100)), (day(50), day(300))
    made = [drafted(keeper.user, model)]
    made += [published(keeper.user, model, start=start, end=end) for start, end in (past, now, coming)]
    made.append(published(keeper.user, model, start=day(-10), end=day(300), renews=made[2]))
    for start, on in ((day(-50), day(-1)), (day(-50), day(1)), (day(-50), day(-60))):
        one = published(keeper.user, model, start=start, end=day(90))
        made.append(edit.retire(one, on, reason="Gone", by=keeper.user, now=timezone.now()))
    published(keeper.user, model, start=day(-5), end=day(300), renews=made[5])
    book = Book.read(software_model=model)
    for shown in states.with_state_on(Entitlement.objects.all(), day(0)):
        assert shown.shown_state == book.state_on(shown, day(0)), shown.number


def tick(client: Any, *, do: str, rows: list[Entitlement]) -> Any:
    keys = [str(one.pk) for one in rows]
    return client.post(f"{LIST}select/", {"place": "", "shown": ",".join(keys), "row": keys, "do": do}, follow=True)


def test_selected_drafts_are_published_together_and_the_others_are_left_out(keeper: Any) -> None:
    drafts = [drafted(keeper.user) for _ in range(3)]
    page = tick(keeper, do="publish", rows=[*drafts, published(keeper.user)])
    assert "3 of 4 can be published; 1 is published already." in told(page)
    seen, token = page.context["found"].seen, page.context["token"]
    extra = drafted(keeper.user)
    done = keeper.post(f"{LIST}publish/", {"selection": token, "seen": seen}, follow=True)
    assert "3 entitlements were published." in told(done)
    assert Entitlement.objects.filter(state="in_use").count() == 4 and extra.is_draft
    assert "over" in told(keeper.post(f"{LIST}publish/", {"selection": token, "seen": seen}, follow=True))


def test_the_list_as_a_workbook_has_the_ticked_entitlements_only(keeper: Any) -> None:
    ticked, _, left_out = (published(keeper.user) for _ in range(3))
    answer = tick(keeper, do="xlsx", rows=[ticked])
    sheet = openpyxl.load_workbook(io.BytesIO(answer.getvalue())).active
    found = str(list(sheet.values))
    assert sheet.max_row == 2 and ticked.number in found and left_out.number not in found


def test_one_that_cannot_be_published_is_named_and_the_others_are_published(keeper: Any) -> None:
    one = published(keeper.user)
    first = drafted(keeper.user, one.software_model, start=day(60), end=day(700), renews=one)
    bad = drafted(keeper.user, unlimited=False)
    Entitlement.objects.filter(pk=bad.pk).update(period="entire", end=None)
    page = tick(keeper, do="publish", rows=[first, bad])
    done = keeper.post(
        f"{LIST}publish/", {"selection": page.context["token"], "seen": page.context["found"].seen}, follow=True
    )
    assert f"{bad.number}: Entire subscription period needs an end date." in told(done)
    assert "1 entitlement was published." in told(done)


def test_the_export_has_the_columns_of_the_template_and_can_be_imported_again(keeper: Any) -> None:
    model = factories.software_model(publisher="=cmd()", product="+Slack")
    one = published(keeper.user, model, notes="@SUM(A1)\n-2", unit_cost=Decimal("12.3456"), invoice="00017")
    text = keeper.get(f"{LIST}export/?state=in_use").getvalue().decode().lstrip("\ufeff")
    header, row = csv.reader(io.StringIO(text))
    assert header[:4] == ["Number", "State", "Publisher", "Product"] and row[:3] == [one.number, "In use", "'=cmd()"]
    book = openpyxl.load_workbook(io.BytesIO(keeper.get(f"{LIST}export/?as=xlsx").getvalue()))
    cells = [cell for line in book["Entitlements"].iter_rows() for cell in line]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert book["Entitlements"]["C2"].value == "=cmd()" and book["Entitlements"]["H2"].value == 10
    assert AuditEntry.objects.filter(verb="exported", detail__list="entitlements").count() == 2
    SoftwareModel.objects.filter(pk=model.pk).update(publisher="Acme", product="Slack")
    again = keeper.get(f"{LIST}export/?as=xlsx").getvalue()
    assert staged(again, keeper.user, "again.xlsx").counters["same"] == 1
