"""Importing people: what the preview says is what is applied, all of it or nothing, and once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles import tasks
from profiles.models import JobRun
from samsaas.models import AuditEntry
from subscriptions.models import Person, PersonAddress, PersonImport
from subscriptions.people.imports import (
    apply as apply_people,
    differences as people_differences,
    steps as import_people,
)
from tests import factories, pages, worlds
from tests.subscriptions.people.people_world import (
    HEADER,
    applied,
    crowd,
    effects,
    everybody,
    listing,
    press,
    send,
    staged,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def test_a_file_is_shown_first_and_applied_then(keeper: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    kept = factories.person("bob@example.com", key="2", name="Bob")
    changed = factories.person("cleo@example.com", "old@example.com", key="3", name="Cleo", department="Sales")
    text = HEADER + (
        "1,Anna Müller,Anna.Mueller@Example.com; anna@example.com,IT,2,CC-1,de,\n"
        "2,Bob,bob@example.com,,,,,\n"
        "3,Cleo,cleo@example.com new@example.com,Legal,,,,31.12.2026\n"
        "4,,no address,,,,Germania,yesterday\n"
    )
    send(keeper, text.encode())
    worlds.work()
    upload = PersonImport.objects.get()
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert effects(upload) == {"1": "new", "2": "same", "3": "changed", "4": "refused"}
    assert Person.objects.count() == 2, "nothing is written yet"
    said = pages.text_of(page)
    assert "Sales Legal" in said and "old@example.com" in said
    assert "Name is empty." in said and "“no”, “address” are not e-mail addresses." in said
    assert "Country “Germania” is not two letters" in said and "Left on “yesterday” is not a date" in said

    assert "1 person added, 1 changed, 0 marked as leavers" in press(keeper, upload)
    anna = Person.objects.get(key="1")
    assert (anna.name, anna.department, anna.manager, anna.country) == ("Anna Müller", "IT", "2", "DE")
    assert [one.address for one in anna.addresses.all()] == ["anna.mueller@example.com", "anna@example.com"]
    kept_before = kept.updated_at
    kept.refresh_from_db(), changed.refresh_from_db()
    assert kept.updated_at == kept_before, "what is the same is not written"
    assert (changed.department, changed.left_on) == ("Legal", date(2026, 12, 31))
    assert [one.address for one in changed.addresses.all()] == ["cleo@example.com", "new@example.com"]
    assert JobRun.objects.active().filter(process="match_people").count() == 1
    assert AuditEntry.objects.get(verb="imported people").detail["new"] == 1
    assert effects(upload) == {"4": "refused"}, "only what the error file needs is kept"


def test_the_same_file_again_changes_nothing(keeper: Any) -> None:
    text = HEADER + "1,Anna,anna@example.com,IT,,,DE,\n2,Bob,,,,,,2026-01-31\n"
    applied(staged(text, keeper.user), keeper.user)
    before = everybody()
    again = staged(text, keeper.user)
    assert set(effects(again).values()) == {"same"}
    applied(again, keeper.user)
    assert everybody() == before


def test_a_column_that_is_missing_leaves_its_values_alone_and_an_empty_cell_empties_them(keeper: Any) -> None:
    factories.person("ann@example.com", key="1", name="Ann", department="IT", country="DE", left_on=date(2026, 1, 1))
    applied(staged("employee number;name;country\n1;Ann B.;\n", keeper.user), keeper.user)
    ann = Person.objects.get()
    assert (ann.name, ann.country, ann.department, ann.left_on) == ("Ann B.", "", "IT", date(2026, 1, 1))
    assert ann.addresses.count() == 1
    applied(staged("employee number;name;e-mails;left on\n1;Ann B.;;\n", keeper.user), keeper.user)
    ann.refresh_from_db()
    assert ann.left_on is None and ann.addresses.count() == 0


def test_a_file_that_lists_everybody_marks_the_others_as_leavers_today(keeper: Any) -> None:
    crowd(30)
    upload = staged(listing(range(3, 30)), keeper.user, everybody=True)
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert upload.counters["leavers"] == 3 and "Who would be marked" in page and "Person 2" in page
    applied(upload, keeper.user)
    gone = Person.objects.exclude(left_on=None)
    assert sorted(gone.values_list("key", "left_on")) == [(f"P{place:05}", timezone.localdate()) for place in range(3)]


def test_without_that_tick_nobody_leaves(keeper: Any) -> None:
    crowd(30)
    applied(staged(listing(range(1)), keeper.user), keeper.user)
    assert Person.objects.active().count() == 30


@pytest.mark.parametrize(("active", "missing", "asked"), [(10, 2, False), (10, 3, True), (50, 5, False), (50, 6, True)])
def test_more_leavers_than_two_or_a_tenth_need_a_second_tick(
    keeper: Any, active: int, missing: int, asked: bool
) -> None:
    crowd(active)
    upload = staged(listing(range(missing, active)), keeper.user, everybody=True)
    said = press(keeper, upload)
    assert Person.objects.active().count() == (active if asked else active - missing)
    assert ("Nothing was applied. Tick the box" in said) == asked
    if asked:
        press(keeper, upload, confirmed="on")
        assert Person.objects.active().count() == active - missing


def test_refused_lines_shield_the_people_they_name(keeper: Any) -> None:
    crowd(30)
    text = listing(range(2, 30)) + "P00000,\nP00001,Person 1,too many\n"
    upload = staged(text, keeper.user, everybody=True)
    assert upload.counters["refused"] == 2 and upload.counters["leavers"] == 0


@pytest.mark.parametrize("line", [",Nameless\n", '"P00001\nP00000",Person\n', "P00001\n"])
def test_a_line_that_may_hide_somebody_makes_leavers_ask_for_a_second_tick(keeper: Any, line: str) -> None:
    crowd(30)
    upload = staged(listing(range(2, 30)) + line, keeper.user, everybody=True)
    with pytest.raises(import_people.Unconfirmed, match="cannot be read well enough"):
        applied(upload, keeper.user)
    assert Person.objects.active().count() == 30


def test_somebody_who_is_listed_again_is_back(keeper: Any) -> None:
    crowd(3)
    announced = timezone.localdate() + timedelta(days=30)
    Person.objects.filter(key="P00000").update(left_on=timezone.localdate())
    Person.objects.filter(key="P00001").update(left_on=announced)
    applied(staged(listing(range(3)), keeper.user, everybody=True), keeper.user)
    assert list(Person.objects.order_by("key").values_list("left_on", flat=True)) == [None, announced, None]


@pytest.mark.parametrize("what", ["changed", "deleted", "created", "address", "a leaver more"])
def test_a_directory_that_changed_meanwhile_is_shown_again_before_anything_is_written(keeper: Any, what: str) -> None:
    crowd(30)
    ann = factories.person("ann@example.com", key="ann", name="Ann")
    text = listing(range(1, 30)) + "ann,Ann B.\nnew,New\n"
    upload = staged(text, keeper.user, everybody=True)
    meanwhile = {
        "changed": lambda: Person.objects.filter(pk=ann.pk).update(name="Anne"),
        "deleted": lambda: Person.objects.filter(pk=ann.pk).delete(),
        "created": lambda: factories.person(key="new", name="Somebody else"),
        "address": lambda: PersonAddress.objects.filter(person=ann).update(address="x@example.com"),
        "a leaver more": lambda: factories.person(key="late", name="Late"),
    }
    meanwhile[what]()
    before = everybody()
    said = press(keeper, upload)
    if what == "address":
        assert Person.objects.get(key="ann").name == "Ann B.", "the file says nothing of addresses"
        return
    assert "Nothing was applied. Look at the new preview" in pages.text_of(said)
    assert everybody() == before
    upload.refresh_from_db()
    assert (upload.state, upload.run and upload.run.state) == ("preview", "held")
    press(keeper, upload)
    assert Person.objects.get(key="ann").name == "Ann B." and Person.objects.get(key="new").name == "New"


def test_somebody_created_in_the_very_moment_of_applying_undoes_all_of_it(keeper: Any, monkeypatch: Any) -> None:
    upload = staged(listing(range(5)), keeper.user)
    known = people_differences.find_known

    def blind(keys: Any, *, lock: bool = False) -> Any:
        """The other writer commits between our look and our write."""
        return {} if lock else known(keys)

    factories.person(key="P00003", name="Theirs")
    monkeypatch.setattr("subscriptions.people.imports.differences.find_known", blind)
    assert "Look at the new preview" in applied(upload, keeper.user).problem
    assert [person.name for person in Person.objects.all()] == ["Theirs"]
    assert effects(upload)["P00003"] == "changed"


def test_a_file_is_applied_or_thrown_away_once(keeper: Any) -> None:
    upload = staged(listing(range(3)), keeper.user)
    press(keeper, upload)
    Person.objects.all().delete()
    assert "already" in press(keeper, upload)
    assert "already" in press(keeper, upload, "discard")
    assert not Person.objects.exists()


@pytest.mark.parametrize("moment", ["queued", "running"])
def test_applying_that_is_canceled_leads_back_to_the_preview(
    keeper: Any, integrator: Any, monkeypatch: Any, moment: str
) -> None:
    monkeypatch.setattr(people_differences, "BATCH", 2)
    upload = staged(listing(range(5)), keeper.user)
    keeper.post(f"{upload.get_absolute_url()}apply/")
    upload.refresh_from_db()
    cancel = f"/runs/{upload.run_id}/cancel/"
    with monkeypatch.context() as patched:
        if moment == "running":
            write = apply_people._write_people
            patched.setattr(apply_people, "_write_people", lambda *given: (integrator.post(cancel), write(*given)))
        else:
            integrator.post(cancel)
        worlds.work()
    assert not Person.objects.exists()
    said = keeper.get(upload.get_absolute_url()).content.decode()
    assert "Applying it was canceled" in said and "Apply this file?" in said
    press(keeper, upload)
    assert Person.objects.count() == 5


def test_applying_that_fails_says_so_and_can_be_asked_for_again(keeper: Any, monkeypatch: Any) -> None:
    upload = staged(listing(range(5)), keeper.user)
    with monkeypatch.context() as patched:
        patched.setattr(apply_people, "_write_addresses", lambda steps: 1 / 0)
        said = press(keeper, upload)
    assert "The file was not applied" in said and "an error of its own" in said and "Apply this file?" in said
    assert not Person.objects.exists()
    press(keeper, upload)
    assert Person.objects.count() == 5


def test_while_a_file_is_applied_it_is_neither_applied_again_nor_thrown_away(keeper: Any) -> None:
    upload = staged(listing(range(5)), keeper.user)
    address = upload.get_absolute_url()
    said = keeper.post(f"{address}apply/", follow=True).content.decode()
    assert "The file is being applied" in said and "Discard" not in said
    for button in ("apply", "discard", "read"):
        assert "already" in keeper.post(f"{address}{button}/", follow=True).content.decode()
    assert JobRun.objects.filter(subject=upload.pk, state="queued").count() == 1
    worlds.work()
    assert Person.objects.count() == 5


def test_two_files_wait_for_each_other_and_the_second_is_compared_with_what_the_first_has_done(keeper: Any) -> None:
    """Nobody has seen what the second would do to the people of the first: it is shown once more."""
    one, two = staged(listing(range(3)), keeper.user), staged("employee number,name\nP00001,Other\n", keeper.user)
    for upload in (one, two):
        import_people.confirm(upload.pk, confirmed=False, by=keeper.user)
    for run in JobRun.objects.filter(state="queued").order_by("pk"):
        tasks.execute(run.pk)
    one.refresh_from_db(), two.refresh_from_db()
    assert (one.state, two.state) == ("applied", "preview")
    assert Person.objects.get(key="P00001").name == "Person 1" and effects(two) == {"P00001": "changed"}


def test_staging_and_applying_thousands_of_lines_takes_few_queries(
    keeper: Any, django_assert_max_num_queries: Any
) -> None:
    text = listing(range(5_000))
    crowd(2_500)
    Person.objects.update(name="Before")
    with django_assert_max_num_queries(190):
        upload = staged(text, keeper.user)
    with django_assert_max_num_queries(210):
        applied(upload, keeper.user)
    assert Person.objects.exclude(name__startswith="Person ").count() == 0 and Person.objects.count() == 5_000
