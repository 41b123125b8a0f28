"""Entitlements and allocations in the hands of people: what is refused, and what is left as a trace."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from samsaas.lib.edits import EditConflict
from samsaas.models import AuditEntry
from subscriptions.entitlements import allocate, check, edit
from subscriptions.models import Allocation, Entitlement, EntitlementVersion, ReconciliationRun
from subscriptions.people import edit as edit_people
from tests import factories

pytestmark = pytest.mark.django_db
today = timezone.localdate


@pytest.fixture
def by(account: Any) -> Any:
    return account("sam_user")


def draft(**fields: Any) -> Entitlement:
    given: dict[str, Any] = {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "purchased_rights": 10}
    given |= {"unit_cost": Decimal(100), "currency": "USD"}
    if "software_model" not in fields:
        given["software_model"] = factories.software_model()
    return Entitlement(**{**given, **fields})


def saved(by: Any, **fields: Any) -> Entitlement:
    return edit.save_draft(draft(**fields), by=by, now=timezone.now())


def published(by: Any, **fields: Any) -> Entitlement:
    return edit.publish(saved(by, **fields), by=by, now=timezone.now())


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"end": date(2025, 12, 31)}, "before the start"),
        ({"purchased_rights": -1}, "greater than or equal to 0"),
        ({"purchased_rights": 10_000_001}, "10000000"),
        ({"purchased_rights": "1.5"}, "must be an integer"),
        ({"unit_cost": Decimal(-1)}, "greater than or equal to 0"),
        ({"unit_cost": Decimal(10_000_001)}, "10000000"),
        ({"unit_cost": Decimal(9_000_000), "purchased_rights": 9_000_000, "period": "monthly"}, "too large"),
        ({"currency": ""}, "needs its currency"),
        ({"currency": "XXX"}, "not a valid choice"),
        ({"unlimited": True}, "no number of rights"),
        ({"minimum_rights": 11}, "more than the purchased"),
        ({"notice_days": 366}, "365"),
        ({"period": "entire", "end": None}, "needs an end date"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_nothing_is_stored(by, fields, word):
    with pytest.raises(ValidationError) as refused:
        saved(by, **fields)
    assert word in str(refused.value)
    assert not Entitlement.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"unlimited": True},
        {"end": date(2025, 1, 1)},
        {"currency": ""},
        {"state": "retired"},
        {"retired_on": date(2026, 2, 2)},
        {"minimum_rights": 11},
    ],
)
def test_the_database_refuses_the_same(by, change):
    one = saved(by)
    with pytest.raises(IntegrityError), transaction.atomic():
        Entitlement.objects.filter(pk=one.pk).update(**change)


def test_a_published_entitlement_is_corrected_with_a_reason_and_leaves_versions(by):
    one = published(by)
    with pytest.raises(ValidationError, match="Say why"):
        edit.correct(one, {"purchased_rights": 9}, version=one.version, reason=" ", by=by, now=timezone.now())
    edit.correct(one, {"notes": "Asked Ann."}, version=one.version, reason="", by=by, now=timezone.now())
    one.refresh_from_db()
    edit.correct(one, {"purchased_rights": 9}, version=one.version, reason="Invoice", by=by, now=timezone.now())
    with pytest.raises(EditConflict):
        edit.correct(one, {"purchased_rights": 8}, version=one.version, reason="Late", by=by, now=timezone.now())
    told = EntitlementVersion.objects.filter(entitlement=one).order_by("version").values_list("version", "reason")
    assert list(told) == [(1, ""), (2, ""), (3, ""), (4, "Invoice")]
    line = AuditEntry.objects.filter(verb="corrected entitlement").latest("pk")
    assert line.detail == {
        "before": {"purchased_rights": "10"},
        "after": {"purchased_rights": "9"},
        "reason": "Invoice",
    }
    assert ReconciliationRun.objects.filter(software_model=one.software_model).exists(), "its position is computed anew"


def test_a_published_entitlement_is_not_edited_as_a_draft(by):
    one = published(by)
    with pytest.raises(ValidationError):
        edit.save_draft(one, by=by, now=timezone.now())


def test_a_renewal_is_of_the_same_model_and_later_and_there_is_one(by):
    one = published(by)
    for fields in (
        {"software_model": factories.software_model()},
        {"start": one.start, "software_model": one.software_model},
    ):
        with pytest.raises(ValidationError):
            saved(by, **{"start": date(2027, 1, 1), "end": date(2027, 12, 31), "renews": one, **fields})
    later = {"software_model": one.software_model, "start": date(2027, 1, 1), "end": date(2027, 12, 31), "renews": one}
    first = published(by, **later)
    with pytest.raises(ValidationError, match="has a renewal already"):
        saved(by, **later)
    edit.retire(first, first.start, reason="Never began.", by=by, now=timezone.now())
    assert saved(by, **later).renews == one


@pytest.mark.parametrize(
    ("start", "end", "renewal"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), (date(2027, 1, 1), date(2027, 12, 31))),
        (date(2027, 3, 1), date(2028, 2, 29), (date(2028, 3, 1), date(2029, 2, 28))),
        (date(2026, 1, 1), date(2026, 4, 10), (date(2026, 4, 11), date(2026, 7, 19))),
    ],
)
def test_a_renewal_is_drafted_with_dates_link_and_recommended_rights(by, start, end, renewal):
    one = published(by, start=start, end=end, minimum_rights=8, total_cost=Decimal(1000))
    made = edit.draft_renewal(one, recommended=7)
    assert (made.start, made.end) == renewal
    assert (made.renews, made.purchased_rights, made.minimum_rights, made.total_cost) == (one, 7, 7, None)
    edit.save_draft(made, by=by, now=timezone.now())


def test_overlapping_terms_without_a_link_are_warned_of(by):
    one = published(by)
    second = draft(software_model=one.software_model, start=date(2026, 12, 1), end=date(2027, 11, 30))
    assert one.number in " ".join(check.list_warnings(second))
    second.renews = one
    assert check.list_warnings(second) == []


class TestAllocations:
    def test_the_last_right_goes_to_one_person(self, by):
        one = published(by, purchased_rights=1)
        allocate.assign(one, factories.person(), 1, on=today(), by=by)
        with pytest.raises(ValidationError, match="0 rights left"):
            allocate.assign(one, factories.person(), 1, on=today(), by=by)

    def test_a_person_has_one_open_allocation_of_an_entitlement(self, by):
        one, ann = published(by), factories.person()
        allocate.assign(one, ann, 1, on=today(), by=by)
        with pytest.raises(ValidationError, match="already"):
            allocate.assign(one, ann, 1, on=today(), by=by)

    @pytest.mark.parametrize("quantity", [0, -1, 11])
    def test_a_quantity_has_to_fit(self, by, quantity):
        with pytest.raises(ValidationError):
            allocate.assign(published(by), factories.person(), quantity, on=today(), by=by)

    def test_a_leaver_and_an_unlimited_license_get_none(self, by):
        gone = factories.person(left_on=today() - timedelta(days=1))
        with pytest.raises(ValidationError, match="left on"):
            allocate.assign(published(by), gone, 1, on=today(), by=by)
        with pytest.raises(ValidationError, match="unlimited"):
            unlimited = published(by, unlimited=True, purchased_rights=0)
            allocate.assign(unlimited, factories.person(), 1, on=today(), by=by)

    def test_rights_cannot_be_lowered_below_those_allocated(self, by):
        one = published(by)
        allocate.assign(one, factories.person(name="Ann Example"), 4, on=today(), by=by)
        with pytest.raises(ValidationError, match="Ann Example"):
            edit.correct(one, {"purchased_rights": 3}, version=one.version, reason="Less", by=by, now=timezone.now())

    def test_somebody_who_has_rights_is_not_deleted(self, by):
        ann = factories.person()
        allocate.assign(published(by), ann, 1, on=today(), by=by)
        with pytest.raises(edit_people.HoldsRights):
            edit_people.delete(ann, by=by)

    def test_a_released_right_is_free_again(self, by):
        one, ann = published(by, purchased_rights=1), factories.person()
        made = allocate.assign(one, ann, 1, on=today(), by=by)
        allocate.release(made, on=today(), by=by)
        with pytest.raises(ValidationError, match="already"):
            allocate.release(made, on=today(), by=by)
        assert allocate.free_rights(one) == 1

    @pytest.mark.parametrize(("quantity", "remaining", "left"), [(1, 0, 0), (2, 1, 1), (1, 1, 1), (2, 0, 1)])
    def test_a_removed_seat_frees_the_right_it_had(self, by, quantity, remaining, left):
        one, ann = published(by), factories.person()
        allocate.assign(one, ann, quantity, on=today(), by=by)
        allocate.release_with_seat(ann, one.software_model, remaining, now=timezone.now())
        assert sum(Allocation.objects.open().values_list("quantity", flat=True)) == left
        allocate.give_back_with_seat(ann, one.software_model, today(), now=timezone.now())
        if left < quantity and one.end and one.start <= today() <= one.end:
            assert sum(Allocation.objects.open().values_list("quantity", flat=True)) == left + 1
