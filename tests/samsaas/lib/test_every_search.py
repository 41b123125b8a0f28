"""Every list is searched alike: accents, capitals, order of words and ways of writing a letter make no difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django.contrib.admin
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import get_resolver
from django.utils import timezone

from profiles.filters import ProfileFilter
from profiles.jobs.filters import RunFilter
from reclamation.asking.filters import NoticeFilter
from reclamation.filters import CandidateFilter
from reclamation.models import Exemption, RemovalCandidate
from reclamation.rules.editing import offered
from reclamation.rules.filters import ExemptionFilter, RuleFilter
from samsaas import outbox
from samsaas.accounts.filters import AccountFilter
from samsaas.api.tables import TokenFilter
from samsaas.audit_trail import AuditFilter
from samsaas.lib import search, tables
from samsaas.models import ApiToken
from subscriptions.entitlements.filters import EntitlementFilter
from subscriptions.exclusions.filters import IdentifierExclusionFilter, UserExclusionFilter
from subscriptions.filters import SubscriptionFilter
from subscriptions.matching import suggest
from subscriptions.matching.filters import PersonChoiceFilter, UnmatchedFilter
from subscriptions.models import Entitlement, IdentifierExclusion, Person, UserExclusion
from subscriptions.people import merge
from subscriptions.people.filters import PersonFilter
from subscriptions.software.filters import IdentifierFilter, SoftwareModelFilter
from tests import factories

pytestmark = pytest.mark.django_db
NAME, OTHER = "Anna Müller", "Bob Miller"
WAYS = ("MÜLLER", "Muller", "müller anna", "Mu\u0308ller", "anna  MULLER", "mull")


def entitlement(name: str) -> Entitlement:
    today = timezone.localdate()
    return Entitlement.objects.create(
        software_model=factories.software_model(), purchased_rights=5, start=today, contract=name
    )


def token(name: str) -> ApiToken:
    now = timezone.now()
    made = {"digest": name.ljust(64, "x"), "prefix": "sam_abcdef", "role": "sam_user", "created_at": now}
    return ApiToken.objects.create(
        user=User.objects.create(username=f"of {name}"),
        name=name,
        expires_at=now + timedelta(days=9),
        **made,
    )


def exemption(name: str) -> Exemption:
    return Exemption.objects.create(person=factories.person(name=name), reason="Board", at=timezone.now())


LISTS: dict[type[tables.ListFilter], Callable[[str], Any]] = {
    SubscriptionFilter: lambda name: factories.subscription(display_name=name, email="x@one.example"),
    UnmatchedFilter: lambda name: factories.subscription(display_name=name, email="x@one.example"),
    PersonFilter: lambda name: factories.person(name=name),
    PersonChoiceFilter: lambda name: factories.person(name=name),
    SoftwareModelFilter: lambda name: factories.software_model(product=name),
    IdentifierFilter: lambda name: factories.identifier(software_model=factories.software_model(product=name)),
    IdentifierExclusionFilter: lambda name: IdentifierExclusion.objects.create(
        identifier=factories.identifier(), reason=name
    ),
    UserExclusionFilter: lambda name: UserExclusion.objects.create(pattern="x@one.example", reason=name),
    EntitlementFilter: entitlement,
    ProfileFilter: lambda name: factories.profile(display_name=name),
    RunFilter: lambda name: factories.run(profile_name=name),
    CandidateFilter: lambda name: factories.candidate(display_name=name, email="x@one.example"),
    RuleFilter: lambda name: factories.rule(name=name),
    ExemptionFilter: exemption,
    NoticeFilter: lambda name: outbox.queue(
        to="x@one.example", subject=name, body="Text", give_up_at=timezone.now(), now=timezone.now()
    ),
    AccountFilter: lambda name: User.objects.create(username=f"of {name}", last_name=name),
    TokenFilter: token,
    AuditFilter: lambda name: factories.audit_entry(object_name=name),
}


def asked(kind: type[tables.ListFilter], text: str) -> Any:
    return kind({"q": text}, queryset=kind._meta.model._default_manager.all()).qs


@pytest.mark.parametrize("kind", LISTS, ids=lambda kind: kind.__name__)
def test_a_list_finds_a_name_however_it_is_typed(kind: type[tables.ListFilter]) -> None:
    make = LISTS[kind]
    wanted, _ = make(NAME), make(OTHER)
    for text in WAYS:
        assert [row.pk for row in asked(kind, text)] == [wanted.pk], text
    assert not asked(kind, "müller bob").exists()


def test_no_list_searches_in_a_way_of_its_own() -> None:
    """Whatever its rows are. The addresses of the site know every list."""
    assert get_resolver().url_patterns
    searched = [kind for kind in all_filters(tables.ListFilter) if "q" in kind.base_filters and kind._meta.model]
    assert set(LISTS) < set(searched) and len(searched) > 25, sorted(kind.__name__ for kind in searched)
    own = [kind.__name__ for kind in searched if "samsaas_fold" not in str(asked(kind, "MÜLLER").query)]
    assert own == []


def all_filters(base: type[tables.ListFilter]) -> Any:
    for kind in base.__subclasses__():
        yield kind
        yield from all_filters(kind)


def test_core_ui_searches_as_the_workspace_does(rf: Any) -> None:
    shown = {one: each for one, each in django.contrib.admin.site._registry.items() if each.search_fields}
    assert len(shown) > 15
    for model, each in shown.items():
        rows, repeats = each.get_search_results(rf.get("/"), model._default_manager.all(), "MÜLLER")
        texts = [field for field in each.search_fields if not field.startswith("=")]
        assert not repeats and ("samsaas_fold" in str(rows.query) if texts else not rows.exists()), model
        assert not list(each.get_search_results(rf.get("/"), rows, "#" + "9" * 40)[0])


def test_core_ui_finds_a_run_by_its_number_and_a_candidate_by_a_name(rf: Any) -> None:
    run, candidate = factories.run(), factories.candidate(display_name=NAME)
    site = django.contrib.admin.site._registry
    for model, term in ((type(run), str(run.pk)), (type(run), f"#{run.pk}"), (RemovalCandidate, "anna MULLER")):
        found, _ = site[model].get_search_results(rf.get("/"), model._default_manager.all(), term)
        assert [one.pk for one in found] == [run.pk if model is type(run) else candidate.pk], term


def test_numbers_and_vendors_ids_are_found_whole() -> None:
    run, candidate = factories.run(), factories.candidate(external_id="dbmid:AbC")
    assert list(asked(RunFilter, f"#{run.pk}")) == list(asked(RunFilter, f"{run.pk}")) == [run]
    assert list(asked(CandidateFilter, candidate.number.lower())) == [candidate]
    assert list(asked(CandidateFilter, "dbmid:AbC")) == [candidate]
    assert list(asked(CandidateFilter, "dbmid:abc")) == [], "ids are opaque, their letters' case counts"


def test_a_search_of_a_related_row_finds_rows_without_one() -> None:
    """What is NULL beside a hit does not hide it."""
    unmapped = factories.identifier(software_model=None, identifier="größe-x")
    assert list(asked(IdentifierFilter, "GROSSE-X")) == [unmapped]


def test_texts_that_are_no_rows_are_searched_alike() -> None:
    for text in WAYS:
        assert search.is_in(text, NAME) and not search.is_in(text, OTHER), text
    assert search.is_in("an", NAME) and not search.is_in("na", NAME), "two letters begin a word"
    assert search.is_in("müller sales", NAME, "Sales") and not search.is_in("müller bob", NAME)


def test_a_rule_offers_departments_however_they_are_typed() -> None:
    for number in range(30):
        factories.person(department=f"Büro {number:02}")
    offer = offered.offer_values(factories.rule(), "department", [], "BURO 29")
    assert offer.found == 1 and ("Büro 29", "Büro 29") in offer.choices


def test_somebody_is_suggested_with_or_without_accents_and_the_same_accents_come_first() -> None:
    plain, accented = factories.person(name="Anna Muller"), factories.person(name=NAME)
    factories.person(name=OTHER)
    seat = factories.subscription(display_name="MÜLLER, Anna", email="")
    found = [(one.person, one.reason) for one in suggest.run([seat])[seat.pk]]
    assert found == [(accented, "Same name"), (plain, "Same name with other accents")]
    assert list(merge.offer(plain, "")) == [accented], "who could be the same person twice in the directory"


@pytest.mark.parametrize("text", ["müller", "RC0000012", "dbmid:AAC"])
def test_an_index_serves_the_search_of_candidates_and_the_look_up_of_names(text: str) -> None:
    """On PostgreSQL, where there can be a million rows."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads every row")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    plan = RemovalCandidate.objects.search(text).explain()
    assert "candidate_search" in plan and "candidate_by_vendor_id" in plan
    assert "person_by_folded_name" in Person.objects.named([NAME]).order_by().explain()
