"""Renewals in the browser: what to give back, by when, how that comes about, and what was asked of the vendor."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from reclamation.models import RemovalCandidate
from reclamation.states import State
from samsaas.models import AuditEntry
from subscriptions.entitlements import edit
from subscriptions.models import Entitlement
from subscriptions.renewals import month
from tests import factories, pages
from tests.subscriptions.entitlements.owned_world import day, form_of, published
from tests.subscriptions.renewals.renewal_world import LIST, ending, reconcile, use, worked_example

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_user")


def told(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def short(on: date) -> str:
    return f"{on:%-d %b %Y}"


def test_the_first_visit_says_what_will_be_here(keeper: Any) -> None:
    page = told(keeper.get(LIST))
    assert "Nothing is to be renewed within 90 days" in page
    assert told(keeper.get(f"{LIST}?view=month")).count("Nothing is renewed in this month") == 1
    assert "Renewals" in keeper.get("/").content.decode(), "in the navigation"


def test_what_to_give_back_and_until_when_as_in_the_worked_example(keeper: Any) -> None:
    """90 are used and 13 of them can be reclaimed: 77, 5 per cent more are 81, and 19 × 180 = 3,420."""
    one = worked_example(keeper.user)
    row = pages.rows(keeper.get(LIST).content.decode(), "Entitlement")[f"{one.number} Dropbox Files Advanced"]
    by, renewal = day(72 + 1 - 30), day(73)
    assert row[1:] == [
        *(f"{short(by)} 43 days left", short(renewal), "100", "81", "−19", "−USD 3,420.00"),
    ]
    page = keeper.get(f"{LIST}{one.pk}/").content.decode()
    assert told_terms(page) == [
        "90 used",
        "+ 0 excluded, but billed",
        "− 13 open removal candidates",
        "= 77 to keep",
    ] + [
        "+ 4 to spare: 5 per cent, rounded up",
        "= 81 to own in all",
        "= 81 recommended",
    ]
    assert "Renew with 81 rights, 19 fewer than the 100 of today." in pages.text_of(page)
    assert "19 × USD 180.00 a right and year" in pages.text_of(page)


def told_terms(page: str) -> list[str]:
    """The lines of the equation, without their notes."""
    inside = page.split('class="grid sum-lines"')[1].split("<tbody>")[1].split("</tbody>")[0]
    lines = [line.split('<span class="sub">')[0] for line in inside.split("<tr")[1:]]
    return [pages.text_of(f"<tr{line}") for line in lines]


def test_every_figure_of_the_equation_opens_the_rows_behind_it(keeper: Any) -> None:
    model = factories.software_model()
    use(model, 12, candidates=4, excluded=3)
    one = ending(keeper.user, 60, model)
    reconcile()
    page = keeper.get(f"{LIST}{one.pk}/").content.decode()
    behind = pages.figures(page)
    excluded, candidates = (
        f"/subscriptions/?model={model.pk}&seats=excluded&license=billed",
        f"/removal-candidates/?model={model.pk}",
    )
    assert (behind[excluded], behind[candidates]) == (3, 4)
    assert pages.rows_behind(keeper, excluded) == 3 and pages.rows_behind(keeper, candidates) == 4


def test_open_candidates_are_those_of_now_and_not_of_the_last_run(keeper: Any) -> None:
    one = worked_example(keeper.user)
    RemovalCandidate.objects.filter(state=State.READY).update(state=State.CLOSED_SKIPPED, closed_at=timezone.now())
    page = told(keeper.get(f"{LIST}{one.pk}/"))
    assert "95 recommended" in page and "Renew with 95 rights, 5 fewer" in page
    assert "95 rights are recommended" in told(keeper.get(f"/entitlements/{one.pk}/renew/")), "every page says the same"


def test_the_commitment_other_blocks_and_what_is_to_spare_are_part_of_it(keeper: Any) -> None:
    model = factories.software_model()
    use(model, 90)
    first = ending(keeper.user, 60, model, purchased_rights=60, minimum_rights=50)
    second = ending(keeper.user, 60, model, purchased_rights=50)
    lasting = published(keeper.user, model, end=None, start=day(-10), purchased_rights=5)
    reconcile()
    page = keeper.get(f"{LIST}{first.pk}/").content.decode()
    assert told_terms(page)[-3:] == [f"− 5 of {lasting.number}", f"− 50 of {second.number}", "= 50 recommended"]
    assert "the commitment is 50, and what is left would be 40" in pages.text_of(page)
    assert told_terms(keeper.get(f"{LIST}{second.pk}/").content.decode())[-1] == "= 40 recommended"
    without = told_terms(keeper.get(f"{LIST}{second.pk}/?headroom=0").content.decode())
    assert without[-1] == "= 35 recommended" and "+ 0 to spare: 0 per cent, rounded up" in without
    last = pages.rows(keeper.get(LIST).content.decode(), "Entitlement")["Sum"]
    assert last[3:7] == ["110", "90", "−20", "−USD 3,600.00"]


def test_an_unlimited_license_has_no_advice_and_is_in_no_sum(keeper: Any) -> None:
    model, other = factories.software_model(), factories.software_model()
    use(model, 3), use(other, 10)
    free = ending(keeper.user, 20, model, purchased_rights=0, unlimited=True, unit_cost=None, currency="")
    beside = ending(keeper.user, 20, model)
    counted = ending(keeper.user, 20, other, purchased_rights=20)
    reconcile()
    rows = pages.rows(keeper.get(LIST).content.decode(), "Entitlement")
    shown = {name.split(" ")[0]: row for name, row in rows.items()}
    assert shown[free.number][3:6] == ["Unlimited", "no advice", "–"]
    assert shown[beside.number][3:6] == ["100", "no advice", "–"]
    assert rows["Sum of the 1 with advice"][3:6] == ["20", shown[counted.number][4], shown[counted.number][5]]
    assert "No number is recommended" in told(keeper.get(f"{LIST}{beside.pk}/"))


def test_two_currencies_are_never_added_and_no_price_is_not_zero(keeper: Any) -> None:
    fields = [{}, {"currency": "EUR"}, {"unit_cost": None, "currency": ""}]
    for more in fields:
        model = factories.software_model()
        use(model, 10)
        ending(keeper.user, 30, model, **more)
    reconcile()
    rows = pages.rows(keeper.get(LIST).content.decode(), "Entitlement")
    assert rows["Sum"][6] == "−EUR 16,020.00 −USD 16,020.00 1 not known"


@pytest.mark.parametrize(
    ("in_days", "fields", "state"),
    [
        (72, {}, "Time to decide"),
        (45, {}, "Reduce within 30 days"),
        (20, {}, "Too late to reduce"),
        (0, {"notice_days": 0}, "Reduce within 30 days"),
        (-1, {}, "Ended, not decided"),
        (-1, {"auto_renew": True}, "Auto-renewed?"),
        (-89, {}, "Ended, not decided"),
    ],
)
def test_every_state_is_told(keeper: Any, in_days: int, fields: Any, state: str) -> None:
    one = worked_example(keeper.user, in_days=in_days, **fields)
    assert (
        pages.rows(keeper.get(LIST).content.decode(), "Entitlement")[f"{one.number} Dropbox Files Advanced"][0] == state
    )
    assert state in told(keeper.get(f"{LIST}{one.pk}/"))


@pytest.mark.parametrize(
    ("in_days", "fields", "query", "is_listed"),
    [
        (90, {}, "", True),
        (91, {}, "", True),  # reduce by lies within 90 days
        (120, {"notice_days": 0}, "", False),
        (150, {"notice_days": 90}, "", True),
        (45, {}, "?horizon=30", True),
        (70, {"notice_days": 5}, "?horizon=60", False),
        (70, {"notice_days": 5}, "", True),
        (-90, {}, "", True),
        (-91, {}, "", False),
        (-31, {}, "?horizon=30", False),
    ],
)
def test_what_is_near_enough_is_listed(keeper: Any, in_days: int, fields: Any, query: str, is_listed: bool) -> None:
    """By its end, and by the day on which the vendor must know, which a long notice puts far before it."""
    one = worked_example(keeper.user, in_days=in_days, **fields)
    assert (one.number in told(keeper.get(f"{LIST}{query}"))) == is_listed


def test_what_is_renewed_retired_or_a_draft_is_not_listed(keeper: Any) -> None:
    model = factories.software_model()
    use(model, 3)
    renewed = ending(keeper.user, 30, model)
    edit.publish(
        edit.save_draft(edit.draft_renewal(renewed), by=keeper.user, now=timezone.now()),
        by=keeper.user,
        now=timezone.now(),
    )
    retired = ending(keeper.user, -3, model)
    edit.retire(retired, day(-2), reason="Not needed", by=keeper.user, now=timezone.now())
    drafted = ending(keeper.user, 30, model, purchased_rights=7)
    edit.save_draft(edit.draft_renewal(drafted), by=keeper.user, now=timezone.now())
    reconcile()
    page = told(keeper.get(LIST))
    assert renewed.number not in page and retired.number not in page
    assert drafted.number in page, "a draft of a renewal counts nowhere"
    assert "is a draft: it counts when it is published" in told(keeper.get(f"{LIST}{drafted.pk}/"))


def test_what_ends_outside_of_the_position_stands_apart_with_the_reason(keeper: Any) -> None:
    one = ending(keeper.user, 30)
    page = told(keeper.get(LIST))
    assert "Ends too, without advice" in page and one.number in page
    assert "nobody knows what is used of it" in told(keeper.get(f"{LIST}{one.pk}/"))


def test_a_reduction_that_was_asked_for_is_noted_shown_and_taken_back(keeper: Any) -> None:
    one = worked_example(keeper.user)
    place = f"{LIST}{one.pk}/"
    assert 'name="rights" value="81"' in keeper.get(place).content.decode(), "the recommended number stands there"
    page = keeper.post(f"{place}reduction/", {"rights": "81", "on": day(0).isoformat()}, follow=True)
    assert "No further reminder" in told(page) and "to renew with 81 of 100 rights" in told(page)
    assert pages.rows(keeper.get(LIST).content.decode(), "Entitlement")[f"{one.number} Dropbox Files Advanced"][0] == (
        f"Reduction asked for to 81, on {short(day(0))}"
    )
    entry = AuditEntry.objects.get(verb="noted reduction")
    assert entry.detail["after"] == {"reduction_asked_to": "81", "reduction_asked_on": day(0).isoformat()}
    assert "Reduction asked for, to: none → 81" in told(keeper.get(f"/entitlements/{one.pk}/versions/"))
    page = keeper.post(f"{place}reduction/", {"go": "back"}, follow=True)
    assert "Reminders go on" in told(page)
    one.refresh_from_db()
    assert (one.reduction_asked_on, one.reduction_asked_to) == (None, None)
    assert AuditEntry.objects.filter(verb="took back reduction", object_id=str(one.pk)).exists()
    assert "No reduction is noted" in told(keeper.post(f"{place}reduction/", {"go": "back"}, follow=True))


REFUSED = {
    "as many as before": ({"rights": "100"}, "so this is no reduction"),
    "more than before": ({"rights": "101"}, "so this is no reduction"),
    "below the commitment": ({"rights": "39"}, "40 rights are committed"),
    "negative": ({"rights": "-1"}, "greater than or equal to 0"),
    "a fraction": ({"rights": "80.5"}, "Enter a whole number"),
    "huge": ({"rights": "9" * 40}, "less than or equal to 10000000"),
    "nothing": ({"rights": ""}, "This field is required"),
    "a day to come": ({"on": "2999-01-01"}, "still to come"),
    "before it began": ({"on": "2001-01-01"}, "before the start date"),
    "no day": ({"on": "soon"}, "Enter a valid date"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_reduction_that_cannot_be_is_refused_and_nothing_is_stored(keeper: Any, name: str) -> None:
    one = worked_example(keeper.user, minimum_rights=40)
    change, said = REFUSED[name]
    answer = keeper.post(f"{LIST}{one.pk}/reduction/", {"rights": "81", "on": day(0).isoformat(), **change})
    one.refresh_from_db()
    assert said in told(answer) and one.reduction_asked_on is None
    assert not AuditEntry.objects.filter(verb="noted reduction").exists()


def test_of_what_has_no_renewal_no_reduction_can_be_noted(keeper: Any) -> None:
    model = factories.software_model()
    given = {"rights": "5", "on": day(0).isoformat()}
    endless = published(keeper.user, model, end=None)
    assert keeper.get(f"{LIST}{endless.pk}/").status_code == 404
    draft = edit.save_draft(
        Entitlement(software_model=model, start=day(0), end=day(9)), by=keeper.user, now=timezone.now()
    )
    assert keeper.post(f"{LIST}{draft.pk}/reduction/", given).status_code == 404
    unlimited = ending(keeper.user, 20, model, purchased_rights=0, unlimited=True, unit_cost=None, currency="")
    assert "no rights to give back" in told(keeper.post(f"{LIST}{unlimited.pk}/reduction/", given))
    renewed = ending(keeper.user, 30, model)
    after = edit.save_draft(edit.draft_renewal(renewed), by=keeper.user, now=timezone.now())
    edit.publish(after, by=keeper.user, now=timezone.now())
    assert f"has a renewal already: {after.number}" in told(keeper.post(f"{LIST}{renewed.pk}/reduction/", given))


def test_what_renewed_itself_is_recorded_with_one_press_and_the_ungranted_reduction_is_told(keeper: Any) -> None:
    one = worked_example(keeper.user, auto_renew=True)
    edit.note_reduction(one, 81, day(0), by=keeper.user, now=timezone.now())
    Entitlement.objects.filter(pk=one.pk).update(start=day(-366), end=day(-1))
    page = keeper.get(LIST).content.decode()
    assert "auto-renewed? Record it" in pages.text_of(page)
    assert "see on the invoice whether it was granted" in pages.text_of(page)
    form = keeper.get(f"/entitlements/{one.pk}/renew/?as=same").context["form"]
    assert (form.instance.purchased_rights, form.instance.start) == (100, day(0))
    sent = form_of(form.instance)
    saved = keeper.post(f"/entitlements/{one.pk}/renew/?as=same", sent, follow=True)
    after = Entitlement.objects.get(renews=one)
    assert after.number in told(saved)
    keeper.post(f"/entitlements/{after.pk}/publish/", {})
    reconcile()
    page = told(keeper.get(LIST))
    assert "auto-renewed?" not in page
    assert f"{after.number} has 100 rights, and 81 were asked for" in page
    edit.correct(
        after, {"purchased_rights": 81}, version=2, reason="As the invoice", by=keeper.user, now=timezone.now()
    )
    assert "were asked for" not in told(keeper.get(LIST))


def test_the_month_shows_deadlines_and_renewals_on_their_days(keeper: Any) -> None:
    one = worked_example(keeper.user, in_days=100)
    by, renewal = day(71), day(101)
    for on, kind in ((by, "Reduce by"), (renewal, "Renewal")):
        page = keeper.get(f"{LIST}?view=month&month={on:%Y-%m}").content.decode()
        assert f"{on.day} {on:%B %Y} {kind} Dropbox Files Advanced 100 rights, −19" in pages.text_of(page)
        assert f'href="/renewals/{one.pk}/"' in page
    other = day(400)
    assert "Nothing is renewed in this month" in told(keeper.get(f"{LIST}?view=month&month={other:%Y-%m}"))


@pytest.mark.parametrize("text", ["", "2026-13", "nonsense", "9999-99", "-1-1", "2026-1", "٢٠٢٦-01", "2026-12-01"])
def test_a_month_that_is_none_is_this_month(keeper: Any, text: str) -> None:
    page = told(keeper.get(f"{LIST}?view=month", {"view": "month", "month": text}))
    assert f"{timezone.localdate():%B %Y}" in page


def test_the_calendar_ends_where_nobody_looks_any_more(keeper: Any) -> None:
    assert 'rel="prev"' not in keeper.get(f"{LIST}?view=month&month=2000-01").content.decode()
    assert 'rel="next"' not in keeper.get(f"{LIST}?view=month&month=2199-12").content.decode()
    assert month.write_month(2026, 13) == "2027-01" and month.write_month(2026, 0) == "2025-12"


@pytest.mark.parametrize("end", [date(9999, 12, 31), date(9000, 1, 1)])
def test_a_contract_for_ever_breaks_no_page(keeper: Any, end: date) -> None:
    model = factories.software_model()
    use(model, 1)
    one = published(keeper.user, model, start=date(2020, 1, 1), end=end)
    reconcile()
    for address in (LIST, f"{LIST}?view=month", f"{LIST}{one.pk}/", f"/entitlements/{one.pk}/"):
        assert keeper.get(address).status_code == 200, address
    assert keeper.get(f"/entitlements/{one.pk}/renew/", follow=True).status_code == 200


@pytest.mark.parametrize(
    "query", ["?horizon=0", "?headroom=-1", "?headroom=1e9", "?urgency=x", "?page=9&sort=-nothing"]
)
def test_values_that_cannot_be_used_are_ignored(keeper: Any, query: str) -> None:
    worked_example(keeper.user)
    page = told(keeper.get(f"{LIST}{query}"))
    assert "81" in page


def test_filters_and_sorting_are_in_the_address(keeper: Any) -> None:
    early, late = worked_example(keeper.user, in_days=20), worked_example(keeper.user, in_days=80, edition="B")
    names = list(pages.rows(keeper.get(f"{LIST}?sort=-renewed_on").content.decode(), "Entitlement"))
    assert names[0].startswith(late.number) and names[1].startswith(early.number)
    page = told(keeper.get(f"{LIST}?urgency=too_late"))
    assert early.number in page and late.number not in page
    assert early.number in told(keeper.get(f"{LIST}?publisher=Dropbox"))


def test_the_pages_cost_the_same_for_one_renewal_and_for_thirty(keeper: Any) -> None:
    profile = factories.profile(refreshed_at=timezone.now())

    def add(count: int) -> Entitlement:
        for _ in range(count):
            model = factories.software_model()
            use(model, 2, candidates=1, profile=profile)
            one = ending(keeper.user, 40, model)
        return one

    one = add(1)
    reconcile()
    addresses = (LIST, f"{LIST}?view=month&month={day(41):%Y-%m}", f"{LIST}{one.pk}/")
    before = [pages.cost(keeper, address) for address in addresses]
    add(29)
    reconcile()
    assert [pages.cost(keeper, address) for address in addresses] == before
    assert len(pages.rows(keeper.get(LIST).content.decode(), "Entitlement")) == 31


def test_who_may_only_look_sees_no_form(signed_in: Any, keeper: Any) -> None:
    one = worked_example(keeper.user)
    stranger = signed_in("")
    assert stranger.get(LIST).status_code == 403
    assert stranger.post(f"{LIST}{one.pk}/reduction/", {"rights": 1}).status_code == 403
