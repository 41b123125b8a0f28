"""After the first connection a short list says what is left to do, and goes away when it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from samsaas.models import AuditEntry, ChecklistTick
from subscriptions.models import SoftwareModel, UserExclusion
from tests import factories, pages
from tests.samsaas.home.home_world import own

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
TITLE = "After the first connection"

DONE: dict[str, Callable[[], Any]] = {
    "people": factories.person,
    "cost": lambda: own(factories.software_model(), 3, state="build"),
    "rule": lambda: factories.rule(reviewed_at=timezone.now()),
    "exclusions": lambda: UserExclusion.objects.create(domain="example.com"),
}


def page_of(client: Any) -> str:
    return str(client.get("/").content.decode())


def test_it_comes_with_the_first_list_and_goes_with_the_last_step(signed_in: Any) -> None:
    manager = signed_in("sam_admin")
    profile = factories.profile()
    assert TITLE not in page_of(manager), "before the first list there is nothing to set up"
    profile.refreshed_at = timezone.now()
    profile.save()
    for step, finish in DONE.items():
        page = page_of(manager)
        assert TITLE in page and f"/checklist/{step}/" in page
        finish()
        assert f"/checklist/{step}/" not in page_of(manager), "a step that is done asks for nothing"
    assert TITLE not in page_of(manager)


def test_a_cost_of_a_software_model_is_as_good_as_an_entitlement(signed_in: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    model = factories.software_model()
    SoftwareModel.objects.filter(pk=model.pk).update(cost_override=0, currency="EUR")
    assert "/checklist/cost/" not in page_of(signed_in("sam_admin")), "0 is a cost"


def test_what_needs_nothing_is_ticked_off_once_and_recorded(signed_in: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    manager = signed_in("sam_admin")
    for _ in range(2):
        assert manager.post("/checklist/exclusions/", follow=True).status_code == 200
    assert ChecklistTick.objects.get().key == "exclusions"
    assert AuditEntry.objects.filter(verb="ticked off step after connecting").count() == 1
    assert "/checklist/exclusions/" not in page_of(manager)
    assert manager.post("/checklist/unknown/").status_code == 404


def test_everybody_sees_the_list_and_reads_who_can_take_a_step(signed_in: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    reader = signed_in("sam_user")
    page = page_of(reader)
    assert "A colleague with the role sam_admin can do it." in pages.text_of(page)
    assert "/entitlements/new/" in page and "/checklist/" not in page
    assert reader.post("/checklist/people/").status_code == 403


def test_the_rules_are_asked_for_in_one_place_only(signed_in: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    factories.rule(factories.subscription().identifier.software_model)
    manager = signed_in("sam_admin")
    assert "to be reviewed; until" not in pages.text_of(page_of(manager)), "the list says it"
    for step in DONE:
        manager.post(f"/checklist/{step}/")
    assert "1 Reclamation rule to be reviewed" in pages.text_of(page_of(manager))
