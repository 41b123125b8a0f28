"""The pages of savings: what is money already, what will be and when, and the lines behind every figure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from reclamation.models import RemovalCandidate, SavingsEntry
from reclamation.removal import sweep
from reclamation.savings import balance, ledger
from reclamation.states import State
from samsaas.models import AuditEntry
from subscriptions.entitlements import edit
from subscriptions.models import Entitlement, SoftwareModel
from tests import factories, pages
from tests.subscriptions.entitlements.owned_world import day
from tests.subscriptions.renewals.renewal_world import ending, reconcile, use

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
START = "2026-06-01 09:00:00+00:00"
PAGE, ENTRIES = "/savings/", "/savings/entries/"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def calendar() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as moved:
        yield moved


@pytest.fixture
def keeper(calendar: Any, signed_in: Any) -> Any:
    return signed_in("sam_user")


def told(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def go_on(calendar: Any, client: Any, days: int) -> None:
    """So many days later, signed in anew."""
    calendar.shift(timedelta(days=days))
    client.force_login(client.user)


def free(model: SoftwareModel, count: int, *, on: date | None = None, **fields: Any) -> list[RemovalCandidate]:
    """So many removals that freed a subscription of the model."""
    on = on or timezone.localdate()
    profile, found = factories.profile(**fields), []
    identifier = factories.identifier(software_model=model)
    for _ in range(count):
        now = timezone.now()
        seat = factories.subscription(profile=profile, identifier=identifier, ended_at=now, freed_at=now)
        one = factories.candidate(seat, state=State.CLOSED_COMPLETE, software_model=str(model))
        ledger.add(one, ledger.Kind.FREED, on=on)
        found.append(one)
    return found


def renew(one: Entitlement, rights: int, by: Any) -> Entitlement:
    draft = edit.draft_renewal(one)
    draft.purchased_rights = rights
    return edit.publish(edit.save_draft(draft, by=by, now=timezone.now()), by=by, now=timezone.now())


def equation(client: Any) -> str:
    return pages.text_of(client.get(PAGE).content.decode().split('class="equation">')[1].split("</p>")[0])


def test_before_anything_was_freed_the_page_says_how_it_begins(keeper: Any) -> None:
    assert "Nothing was freed so far" in told(keeper.get(PAGE))
    assert "Nothing was freed so far" in told(keeper.get(ENTRIES))


def test_from_freed_to_saved_with_the_day_on_which_it_becomes_money(calendar: Any, keeper: Any) -> None:
    """Three are freed at 180 a year, the renewal buys two fewer: the sweep of that day notes the two oldest."""
    model = factories.software_model(product="Files", edition="Advanced")
    use(model, 10)
    one = ending(keeper.user, 60, model)
    reconcile()
    free(model, 1, on=day(-10)), free(model, 2)
    assert equation(keeper) == "3 freed − 0 gone back = 0 saved + 3 pending + 0 lapsed"
    row = pages.rows(keeper.get(PAGE).content.decode(), "Software model")["Dropbox Files Advanced"]
    reduce_by, renewal = day(61 - 30), day(61)
    assert row[:4] == ["3", "USD 540.00", f"{reduce_by:%-d %b %Y} 31 days left", f"{renewal:%-d %b %Y}"]
    assert row[4] == f"{one.number} : Renew with 11 rights, 89 fewer than the 100 of today."
    edit.note_reduction(one, 98, day(0), by=keeper.user, now=timezone.now())
    assert "a reduction to 98 was asked for" in told(keeper.get(PAGE))
    after = renew(one, 98, keeper.user)
    go_on(calendar, keeper, 60)
    sweep.run(timezone.now())
    assert equation(keeper) == "3 freed − 0 gone back = 0 saved + 3 pending + 0 lapsed", "the day before"
    go_on(calendar, keeper, 1)
    sweep.run(timezone.now())
    sweep.run(timezone.now())
    assert equation(keeper) == "3 freed − 0 gone back = 2 saved + 1 pending + 0 lapsed"
    saved = list(SavingsEntry.objects.filter(kind="saved").values_list("on", "amount", "currency", "entitlement"))
    assert saved == [(after.start, Decimal(180), "USD", after.pk)] * 2
    assert "Saved 2 by renewals with fewer rights USD 360.00" in told(keeper.get(PAGE))
    behind = pages.rows(keeper.get(f"{ENTRIES}?kind=saved&renewal={after.pk}").content.decode(), "Day")
    assert behind["Sum of all rows"][2] == "2" and behind["Sum of all rows"][-1] == "USD 360.00"
    fewer = pages.rows(keeper.get(PAGE).content.decode().split('id="reduced"')[1], "Renewal")
    assert fewer[f"{after.number} Dropbox Files Advanced"][1:] == ["100", "98", "2", "2", "0"]


def test_what_a_renewal_gave_back_beyond_the_freed_is_not_ours(calendar: Any, keeper: Any) -> None:
    model = factories.software_model()
    one = ending(keeper.user, 5, model)
    free(model, 1)
    renew(one, 90, keeper.user)
    go_on(calendar, keeper, 6)
    sweep.run(timezone.now())
    page = told(keeper.get(PAGE))
    assert "reduced otherwise: 9 in all" in page
    assert equation(keeper) == "1 freed − 0 gone back = 1 saved + 0 pending + 0 lapsed"


def test_a_block_that_just_ends_saves_nothing_and_is_listed(calendar: Any, keeper: Any) -> None:
    model = factories.software_model(product="Files", edition="B")
    one = ending(keeper.user, 5, model)
    retired = ending(keeper.user, 100, model)
    free(model, 1)
    edit.retire(retired, day(3), reason="Canceled", by=keeper.user, now=timezone.now())
    go_on(calendar, keeper, 7)
    sweep.run(timezone.now())
    rows = pages.rows(keeper.get(PAGE).content.decode().split('id="ended"')[1], "Entitlement")
    assert rows == {
        f"{one.number} Dropbox Files B": [f"{day(-2):%-d %b %Y}", "100", "USD 18,000.00"],
        f"{retired.number} Dropbox Files B": [f"{day(-5):%-d %b %Y}", "100", "USD 18,000.00"],
    }
    assert equation(keeper) == "1 freed − 0 gone back = 0 saved + 1 pending + 0 lapsed"


def test_what_went_back_is_taken_off_and_a_restored_saving_is_taken_back(calendar: Any, keeper: Any) -> None:
    model = factories.software_model()
    one = ending(keeper.user, 5, model)
    first, second, third = free(model, 3)
    ledger.add(first, ledger.Kind.RETURNED, on=day(2))
    renew(one, 98, keeper.user)
    go_on(calendar, keeper, 6)
    sweep.run(timezone.now())
    assert equation(keeper) == "3 freed − 1 gone back = 2 saved + 0 pending + 0 lapsed"
    ledger.add(second, ledger.Kind.RESTORED, on=day(1))
    ledger.add(third, ledger.Kind.RETURNED, on=day(1))
    go_on(calendar, keeper, 1)
    assert equation(keeper) == "3 freed − 2 gone back = 1 saved + 0 pending + 0 lapsed"
    assert "Saved 1 by renewals with fewer rights USD 180.00" in told(keeper.get(PAGE))
    behind = pages.rows(keeper.get(f"{ENTRIES}?lines=saved").content.decode(), "Day")["Sum of all rows"]
    assert (behind[2], behind[-1]) == ("1", "USD 180.00")


@pytest.mark.parametrize("is_late", [False, True])
def test_a_renewal_that_is_recorded_late_gives_the_same_ledger(calendar: Any, keeper: Any, is_late: bool) -> None:
    model = factories.software_model()
    one = ending(keeper.user, 5, model)
    first, second = free(model, 2)
    if not is_late:
        renew(one, 99, keeper.user)
    go_on(calendar, keeper, 7)
    if not is_late:
        sweep.run(timezone.now())
    ledger.add(first, ledger.Kind.RESTORED, on=day(0))
    if is_late:
        renew(one, 99, keeper.user)
    sweep.run(timezone.now())
    sweep.run(timezone.now())
    found = balance.balance_on(day(0))
    assert (found.freed, found.offset, found.saved, found.pending, found.reduced_otherwise) == (2, 1, 0, 1, {})
    assert found.saved_money == {"USD": Decimal(0)}
    kinds = SavingsEntry.objects.filter(candidate=first).values_list("kind", flat=True)
    assert sorted(kinds) == ["freed", "restored", "saved", "saved_offset"]
    assert [one.kind for one in SavingsEntry.objects.filter(candidate=second)] == ["freed"]


def test_what_nobody_saved_within_a_year_lapses(calendar: Any, keeper: Any) -> None:
    model = factories.software_model(product="Files", edition="C")
    free(model, 2)
    row = pages.rows(keeper.get(PAGE).content.decode(), "Software model")["Dropbox Files C"]
    assert row[1] == "not known" and "they lapse from 3 Jun 2027 on" in row[4], "no price is not 0"
    go_on(calendar, keeper, 366)
    assert equation(keeper).endswith("2 pending + 0 lapsed")
    go_on(calendar, keeper, 1)
    assert equation(keeper).endswith("0 pending + 2 lapsed")
    assert pages.rows_behind(keeper, f"{ENTRIES}?lines=lapsed") == 2


def test_where_it_is_too_late_and_where_some_lapse_before_it_is_said(calendar: Any, keeper: Any) -> None:
    late, far = (factories.software_model(product="Files", edition=name) for name in ("Late", "Far"))
    use(late, 5), use(far, 5)
    ending(keeper.user, 10, late), ending(keeper.user, 200, far)
    reconcile()
    free(late, 1), free(far, 1, on=day(-200)), free(far, 1)
    rows = pages.rows(keeper.get(PAGE).content.decode(), "Software model")
    assert "it is too late: the vendor had to know by" in rows["Dropbox Files Late"][4]
    assert "1 of them lapses before that day" in rows["Dropbox Files Far"][4]


def test_two_currencies_stand_side_by_side_and_have_charts_of_their_own(keeper: Any) -> None:
    for currency in ("EUR", "USD"):
        model = factories.software_model()
        ending(keeper.user, 60, model, currency=currency)
        free(model, 2)
    free(factories.software_model(), 1)
    page = told(keeper.get(PAGE))
    assert "Freed, not yet saved 5 pending EUR 360.00 USD 360.00 1 without a known price" in page
    for title in ("EUR a year, freed and saved by month", "USD a year, freed and saved by month"):
        assert title in page
    total = pages.rows(keeper.get(ENTRIES).content.decode(), "Day")["Sum of all rows"]
    assert total[2] == "5" and total[-1] == "EUR 360.00 USD 360.00 1 without a known price"


@pytest.mark.parametrize("by", ["model", "month", "rule", "profile", "department"])
def test_every_division_adds_up_and_each_number_opens_its_lines(keeper: Any, by: str) -> None:
    for place in range(3):
        model = factories.software_model()
        ones = free(model, 3, on=day(-40 * place), display_name=f"Team {place}")
        ledger.add(ones[0], ledger.Kind.RETURNED, on=day(-40 * place))
    page = keeper.get(f"{PAGE}?by={by}").content.decode().split('id="by"')[1].split("</section>")[0]
    found = re.findall(r'<a href="(/savings/entries/[^"]*)">([\d,]+)</a>', page)
    for address, number in found:
        lines = pages.rows(keeper.get(unescape(address)).content.decode(), "Day") if number != "0" else {}
        total = lines["Sum of all rows"][2] if lines else "0"
        assert total.replace("-", "") == number, address
    assert len(found) >= 10


def test_potential_is_what_could_be_freed_now_and_opens_its_candidates(keeper: Any) -> None:
    model = factories.software_model()
    use(model, 10, candidates=4)
    ending(keeper.user, 60, model)
    reconcile()
    use(factories.software_model(), 2, candidates=1)
    page = keeper.get(PAGE).content.decode()
    assert "Potential 5 open removal candidates USD 720.00 1 without a known price" in pages.text_of(page)
    assert pages.rows_behind(keeper, "/removal-candidates/?counted=true") == 5


def test_the_lines_can_be_taken_along_as_they_are_filtered(keeper: Any) -> None:
    model = factories.software_model(product="=Files", edition="")
    ones = free(model, 3)
    ledger.add(ones[0], ledger.Kind.RETURNED, on=day(0))
    sent = keeper.get(f"{ENTRIES}export/?kind=freed").getvalue().decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(sent)))
    assert len(lines) == 3 and {line["Kind"] for line in lines} == {"Freed"}
    assert AuditEntry.objects.get(verb="exported").detail["rows"] == 3


def test_pages_cost_the_same_for_one_line_and_for_thirty(keeper: Any) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            model = factories.software_model()
            use(model, 1, candidates=1)
            ending(keeper.user, 60, model)
            free(model, 1)

    add(1)
    reconcile()
    addresses = (PAGE, ENTRIES, f"{ENTRIES}?lines=pending", f"{PAGE}?by=month")
    before = [pages.cost(keeper, address) for address in addresses]
    add(29)
    reconcile()
    assert [pages.cost(keeper, address) for address in addresses] == before


@pytest.mark.parametrize(
    "query", ["?by=nonsense", "?by=model&by=x", "?lines=x", "?renewal=99", "?since=never", "?without=x"]
)
def test_values_that_cannot_be_used_are_ignored(keeper: Any, query: str) -> None:
    free(factories.software_model(), 1)
    assert keeper.get(f"{PAGE}{query}").status_code == 200
    assert keeper.get(f"{ENTRIES}{query}").status_code == 200
