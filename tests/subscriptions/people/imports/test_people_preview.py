"""The preview of a file of people keeps nothing back: who comes, who is back, how it was read, and what looks odd."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import figures
from subscriptions.models import Person, PersonImport
from tests import factories, pages
from tests.subscriptions.people.people_world import HEADER, NEW, applied, crowd, effects, listing, press, staged

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def refused_file(keeper: Any, upload: PersonImport) -> Any:
    return keeper.get(f"{upload.get_absolute_url()}errors/")


def said(keeper: Any, upload: PersonImport, query: str = "") -> str:
    return pages.text_of(keeper.get(upload.get_absolute_url() + query).content.decode())


@pytest.mark.parametrize(
    "name",
    [
        "=HYPERLINK(1)",
        "'=HYPERLINK(1)",
        "''-1",
        "'t Hooft",
        "＝1",
        "-",
        "'quoted'",
        "' =1",
        "x;=cmd|' /C calc'!A0",
        "x; =1",
        "x;'=1",
        'x;"=1',
        "a;b;-1",
    ],
)
def test_a_refused_line_that_is_corrected_and_sent_again_says_what_it_said(keeper: Any, name: str) -> None:
    quoted = name.replace('"', '""')
    upload = staged(f'Employee number;Name;Country\n-7;"{quoted}";Spayn\n', keeper.user, strict=True)
    corrected = refused_file(keeper, upload).getvalue().decode().replace("Spayn", "ES")
    again = staged(corrected, keeper.user)
    assert again.counters["ignored"] == [] and "Columns that are not used" not in said(keeper, again)
    applied(again, keeper.user)
    assert list(Person.objects.values_list("key", "name")) == [("-7", name)]


def test_in_a_file_of_somebody_else_an_apostrophe_is_a_letter_and_a_column_called_line_is_told(keeper: Any) -> None:
    upload = staged("Employee number,Name,Line\n7,'=1,blue\n", keeper.user)
    assert upload.counters["ignored"] == ["Line"] and "Columns that are not used Line" in said(keeper, upload)
    applied(upload, keeper.user)
    assert Person.objects.get().name == "'=1"


@pytest.mark.parametrize("name", ["people.csv", "people.CSV", "people"])
def test_the_refused_lines_are_downloaded_under_a_name_with_one_ending(keeper: Any, name: str) -> None:
    upload = staged("Employee number,Name\n7,\n", keeper.user, name=name)
    assert 'filename="refused-people.csv"' in refused_file(keeper, upload)["Content-Disposition"]


def test_a_full_file_without_last_days_shows_whom_it_brings_back(keeper: Any) -> None:
    crowd(5)
    today = timezone.localdate()
    Person.objects.filter(key="P00000").update(left_on=today - timedelta(days=300))
    Person.objects.filter(key="P00001").update(left_on=today + timedelta(days=30))
    upload = staged(listing(range(5)), keeper.user, everybody=True)
    assert effects(upload) == {"P00000": "back", **{f"P0000{place}": "same" for place in range(1, 5)}}
    text = said(keeper, upload, "?effect=back")
    assert "Returned 1 had left, listed again" in text and "1–1 of 1" in text
    assert f"Returned P00000 Person 0 Left on: {today - timedelta(days=300)} active" in text
    assert "0 changed, 1 returned, 0 marked as leavers" in pages.text_of(press(keeper, upload))
    assert Person.objects.get(key="P00000").left_on is None and Person.objects.exclude(left_on=None).count() == 1
    upload.refresh_from_db()
    assert upload.run and {one.label: one.value for one in figures.figures_of(upload.run)}["Returned"] == 1


@pytest.mark.parametrize(("cell", "effect"), [("", "back"), ("2099-12-31", "back"), ("2021-06-30", "changed")])
def test_a_last_day_that_is_given_says_itself_who_is_back(keeper: Any, cell: str, effect: str) -> None:
    factories.person(key="1", name="Ann", left_on="2020-06-30")
    assert effects(staged(f"employee number,name,left on\n1,Ann,{cell}\n", keeper.user)) == {"1": effect}


def test_a_file_that_does_not_list_everybody_brings_nobody_back_by_itself(keeper: Any) -> None:
    factories.person(key="1", name="Ann", left_on="2020-06-30")
    assert effects(staged("employee number,name\n1,Ann\n", keeper.user)) == {"1": "same"}


def test_a_new_line_shows_what_will_be_stored_as_it_was_read(keeper: Any) -> None:
    line = "1,Anna,Anna@Example.com; anna@example.com a@example.com,IT,,CC-1,de,31.12.2025\n"
    text = said(keeper, staged(HEADER + line, keeper.user))
    assert (
        "New 1 Anna E-mails: anna@example.com, a@example.com Department: IT "
        "Cost center: CC-1 Country: DE Left on: 2025-12-31" in text
    )
    assert "Manager: " not in text, "an empty cell is no news of a new person"


def test_a_changed_line_shows_its_date_as_it_was_read(keeper: Any) -> None:
    factories.person(key="1", name="Anna", country="ES")
    upload = staged("employee number,name,country,left on\n1,Anna,de,1.2.2025\n", keeper.user)
    assert "Country: ES DE Left on: 2025-02-01" in said(keeper, upload)


def test_a_manager_nobody_knows_is_told_and_applied_all_the_same(keeper: Any) -> None:
    """Judged after the whole file: Bob's manager stands below him, Cleo's is in the directory, Dora's was refused."""
    factories.person(key="boss", name="Boss")
    lines = "1,Anna,NOBODY\n2,Bob,3\n3,Cleo,boss\n4,Dora,5\n5,,boss\n6,Eve,\n"
    upload = staged("employee number,name,manager\n" + lines, keeper.user)
    assert sorted(upload.rows.filter(unknown_manager=True).values_list("key", flat=True)) == ["1", "4"]
    text = said(keeper, upload, "?manager=unknown")
    assert "Unknown managers 2 applied all the same" in text and "1–2 of 2" in text
    assert "Unknown manager Nobody in the directory or in this file has the number NOBODY" in text
    applied(upload, keeper.user)
    assert Person.objects.get(key="1").manager == "NOBODY"


def test_a_preview_that_is_made_anew_looks_for_the_managers_again(keeper: Any) -> None:
    ann = factories.person(key="1", name="Ann")
    upload = staged("employee number,name,manager\n1,Anna,9\n", keeper.user)
    factories.person(key="9", name="Boss")
    Person.objects.filter(pk=ann.pk).update(name="Anne")
    assert upload.counters["unknown_managers"] == 1 and applied(upload, keeper.user).state == "preview"
    upload.refresh_from_db()
    assert upload.counters["unknown_managers"] == 0 and "Unknown manager" not in said(keeper, upload)


def test_nobody_is_their_own_manager_in_a_file_or_on_the_form(keeper: Any) -> None:
    upload = staged("employee number,name,manager\n1,Anna,1\n2,Bob,1\n", keeper.user, strict=True)
    assert (
        upload.rows.get(effect="refused").problem
        == "This is the person’s own employee number. Nobody can be their own manager."
    )
    assert upload.rows.get(key="2").unknown_manager, "the manager's line is refused"
    page = keeper.post("/people/new/", {"key": "1", "name": "Anna", "manager": " 1 "}).content.decode()
    assert "Nobody can be their own manager" in page and not Person.objects.exists()


def test_the_form_saves_an_unknown_manager_and_says_so(keeper: Any) -> None:
    given = {"key": "1", "name": "Anna", "manager": "9"}
    page = pages.text_of(keeper.post("/people/new/", given, follow=True).content.decode())
    assert "Nobody in the directory has the manager’s employee number 9." in page
    edit = f"/people/{Person.objects.get().pk}/edit/"
    assert "Nobody in the directory has this number." in keeper.get(edit).content.decode()
    factories.person(key="9", name="Boss")
    assert "Nobody in the directory" not in keeper.get(edit).content.decode()


def test_every_bad_address_of_a_line_is_named(keeper: Any) -> None:
    lines = f"1,Anna,ann@ ann@example.com @example.com\n2,Bob,{' '.join(f'bob{place}' for place in range(25))}\n"
    rows = staged("employee number,name,e-mails\n" + lines, keeper.user, strict=True).rows
    assert rows.get(key="1").problem == "“ann@”, “@example.com” are not e-mail addresses."
    assert rows.get(key="2").problem.endswith("“bob19” and 5 more are not e-mail addresses.")


def test_a_very_long_name_is_cut_and_opens(keeper: Any) -> None:
    upload = staged(f"employee number,name\n1,{'x' * 1999}y\n", keeper.user)
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert f'<details class="long"><summary><bdi>{"x" * 79}…</bdi></summary><bdi>{"x" * 1999}y</bdi></details>' in page


def test_one_person_is_one_person_and_tabs_are_named(keeper: Any) -> None:
    upload = staged("employee number\tname\n1\tAnna\n", keeper.user, everybody=True)
    assert "1 person added, 0 changed, 0 marked as leavers" in press(keeper, upload)
    upload = staged("employee number\tname\n2\tBob\n3\tCleo\n", keeper.user, everybody=True)
    assert "2 people added, 0 changed, 1 marked as a leaver." in press(keeper, upload)
    assert "separated by commas, semicolons or tabs" in keeper.get(NEW).content.decode()
