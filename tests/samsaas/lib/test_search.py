"""Finding rows by a piece of text: what is found, how much of it is shown, and that an index serves it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from samsaas.audit_trail import AuditFilter
from samsaas.lib import column_values, fold, paging, search
from samsaas.models import AuditEntry
from subscriptions.models import Person, PersonAddress, Subscription
from subscriptions.models.person import SEARCHED
from tests import factories, pages

pytestmark = pytest.mark.django_db

LIST, EXPORT = "/subscriptions/", "/subscriptions/export/"


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


def found(text: str) -> set[str]:
    return set(Subscription.objects.search(text).values_list("display_name", flat=True))


def test_a_text_is_found_anywhere_in_name_address_and_number_in_small_letters_and_capitals() -> None:
    factories.subscription(display_name="Joanna Weiß", email="jw@one.example", employee_id="E-0012345")
    factories.subscription(display_name="王子轩", email="zx.wang@two.example")
    for text in ("ann", "ANNA", "na we", "One.Example", "12345", "e-001"):
        assert found(text) == {"Joanna Weiß"}, text
    for text in ("子轩", "轩", "ang@"):
        assert found(text) == {"王子轩"}, text
    assert found("example") == {"Joanna Weiß", "王子轩"}
    assert found("anna wei@") == set() and found("weiß\njw") == {"Joanna Weiß"}


def test_one_or_two_letters_find_what_begins_with_them_and_the_page_says_so(reader: Any) -> None:
    factories.subscription(display_name="Joanna Weiss", email="kim@one.example", employee_id="77-1")
    for text in ("j", "Jo", "WE", "ki", "77"):
        assert found(text) == {"Joanna Weiss"}, text
    for text in ("oa", "ei", "im", "n"):
        assert found(text) == set(), text
    assert found("7-") == {"Joanna Weiss"}, "signs are looked for anywhere"
    assert "Search: begins with we" in pages.text_of(reader.get(f"{LIST}?q=we").content.decode())
    assert "Search: wei" in pages.text_of(reader.get(f"{LIST}?q=wei").content.decode())


def test_one_or_two_letters_of_another_alphabet_begin_a_word_as_well() -> None:
    factories.subscription(display_name="Наталия Ткачук", email="n@one.example")
    factories.subscription(display_name="Ελένη Βασιλείου", email="e@one.example")
    for text in ("на", "ТК"):
        assert found(text) == {"Наталия Ткачук"}, text
    assert found("ΕΛ") == found("βα") == {"Ελένη Βασιλείου"} and found("ка") == found("νη") == set()


@pytest.mark.parametrize(
    ("stored", "asked"),
    [("山田太郎", "田太"), ("やまだひろし", "ひろ"), ("김가영", "가"), ("김가영", "영"), ("歐陽娜娜", "娜")],
)
def test_one_or_two_characters_of_east_asia_are_found_anywhere(stored: str, asked: str) -> None:
    factories.subscription(display_name=stored, email="x@one.example")
    factories.person(name=stored)
    factories.subscription(display_name="李雷", email="l@one.example")
    assert found(asked) == {stored} and [one.name for one in Person.objects.search(asked)] == [stored]


def test_a_short_word_beside_a_longer_one_begins_a_word(reader: Any) -> None:
    factories.subscription(display_name="Seat 1", email="s@one.example", employee_id="E-7")
    factories.subscription(display_name="Seat 2", email="s1@one.example", employee_id="E-71")
    factories.subscription(display_name="Li Seat", email="l@one.example", employee_id="E-8")
    assert found("seat 1") == found("1 seat") == {"Seat 1"}
    assert found("seat li") == {"Li Seat"} and found("seat at") == set()


def test_a_vendors_id_is_found_whole_in_every_profile() -> None:
    for profile in (factories.profile(), factories.profile()):
        factories.subscription(profile=profile, external_id="dbmid:AAC-x_1", display_name=f"Of {profile}")
    assert len(found("dbmid:AAC-x_1")) == 2
    assert found("dbmid:AAC") == found("dbmid:aac-x_1") == set(), "ids are opaque, their letters' case counts"


def test_people_are_found_by_what_they_are_and_by_any_address() -> None:
    ann = factories.person("ann@one.example", "a.other@two.example", name="Ann Lee", department="Payroll")
    factories.person("bob@one.example", name="Bob")
    for text in ("ann", "LEE", "payr", "a.other@", "two.ex", ann.key):
        assert list(Person.objects.search(text)) == [ann], text
    assert Person.objects.search("one.example").count() == 2


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search goes no further than 60 hits."""
    monkeypatch.setattr(paging, "MOST_FOUND", 60)


def test_a_search_that_finds_too_much_shows_the_first_in_order_and_says_that_there_are_more(
    reader: Any, narrow: None
) -> None:
    for number in range(70):
        factories.subscription(display_name=f"Many {number:02}")
    first, last = (reader.get(f"{LIST}?q=many&page={page}").content.decode() for page in (1, 9))
    assert "1–50 of more than 60" in pages.text_of(first) and "More than 60 rows match" in first
    assert "51–60 of more than 60" in pages.text_of(last)
    assert "Many 00" in first and "Many 49" in first and "Many 59" in last and "Many 60" not in last
    backwards = reader.get(f"{LIST}?q=many&sort=-display_name").content.decode()
    assert "Many 69" in backwards and "Many 19" not in backwards
    assert len(reader.get(f"{EXPORT}?q=many").getvalue().splitlines()) == 71, "an export holds them all"
    assert pages.rows_behind(reader, LIST) == 70, "a list that is not searched is counted"


def test_a_search_that_finds_no_more_than_that_is_counted(reader: Any, narrow: None) -> None:
    for number in range(60):
        factories.subscription(display_name=f"Many {number:02}")
    assert pages.rows_behind(reader, f"{LIST}?q=many") == 60
    assert "more than" not in reader.get(f"{LIST}?q=many").content.decode()


def test_thirty_hits_cost_as_many_queries_as_one(reader: Any) -> None:
    factories.subscription(display_name="Many 0")
    one = pages.cost(reader, f"{LIST}?q=many")
    for number in range(1, 30):
        factories.subscription(display_name=f"Many {number}", profile=factories.profile())
    assert pages.cost(reader, f"{LIST}?q=many") == one
    assert pages.rows_behind(reader, f"{LIST}?q=many") == 30


def test_the_choices_of_a_filter_are_the_values_there_are() -> None:
    for department in ("Sales", "", "Payroll", "Sales", "östlich", "IT"):
        factories.person(department=department)
    values = sorted({"Sales", "Payroll", "östlich", "IT"})
    assert sorted(value for value, _ in column_values.choices(Person, "department", most=9)) == values
    assert len(column_values.choices(Person, "department", most=2)) == 2
    assert column_values.choices(Person, "country", most=9) == []


@pytest.mark.parametrize("text", ["weiss", "we", "100%_"])
def test_an_index_serves_every_search(text: str) -> None:
    """On PostgreSQL, where a list can hold a million rows."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads every row")
    AuditEntry.objects.create(at=timezone.now(), verb="changed", object_name="x")
    trail = AuditFilter({"q": text}, queryset=AuditEntry.objects.all()).qs
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert "subscription_search" in Subscription.objects.search(text).order_by("display_name", "pk").explain()
    assert "person_search" in search.find(Person.objects.all(), text, *SEARCHED).explain()
    assert "address_search" in search.find(PersonAddress.objects.all(), text, "address").explain()
    assert "audit_search" in trail.explain()


# --- accents, order of words, ways of writing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("MÜLLER", "Muller", "muller anna", "Müller Anna", "anna  müller", "Mu\u0308ller", "mull ann", "ANNA\u00a0M"),
        *("o'neill", "O\u2019Neill", "O\u00b4Neill", "o`neill", "Müller, Anna"),
        *("weiss-muller", "WEISS\u2011MÜLLER", "weiß"),
    ],
)
def test_accents_case_order_and_ways_of_writing_make_no_difference(text: str) -> None:
    factories.subscription(display_name="Anna O’Neill Weiß-Müller", email="a@one.example")
    factories.subscription(display_name="Bob Miller", email="b@one.example")
    factories.person(name="Anna O’Neill Weiß-Müller")
    assert found(text) == {"Anna O’Neill Weiß-Müller"}
    assert Person.objects.search(text).count() == 1


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        *(
            ("Özdemir", "ozdemir"),
            ("Łukasz Żółć", "lukasz zolc"),
            ("Søren Æbler", "soren aebler"),
            ("Đỗ Đình", "do dinh"),
        ),
        *(
            ("Œuvre", "oeuvre"),
            ("İpek Işık", "ipek isik"),
            ("Ώδη Οδός", "ωδη οδοσ"),
            ("Ёлкин", "елкин"),
            ("ﬁsch", "fisch"),
        ),
        *(("ＡＢＣ", "abc"), ("Strauß", "STRAUSS"), ("100% Ltd_A\\B", "100% ltd_a\\b")),
    ],
)
def test_letters_of_other_languages_are_found_as_they_are_typed_elsewhere(stored: str, asked: str) -> None:
    factories.subscription(display_name=stored, email="x@one.example")
    assert found(asked) == found(stored) == {stored}


@pytest.mark.parametrize("asked", ["100_", "ltd%a", "\\", "müller bob", "anna_"])
def test_signs_stand_for_themselves_and_every_word_has_to_be_there(asked: str) -> None:
    factories.subscription(display_name="Anna Müller", email="x@one.example")
    assert found(asked) == set()


def test_both_databases_fold_every_letter_alike() -> None:
    """Of the scripts that people's names in directories are written in; letters that Unicode knows for long."""
    letters = [
        chr(code)
        for begin, end in (
            (0x20, 0x250),
            (0x370, 0x530),
            (0x1E00, 0x2000),
            (0x2010, 0x2036),
            (0xFB00, 0xFB07),
            (0xFF01, 0xFF5F),
        )
        for code in range(begin, end)
        if unicodedata.category(chr(code)) not in ("Cn", "Cc", "Cs")
    ]
    with connection.cursor() as cursor:
        for letter in letters:
            text = f"x{letter}x"
            cursor.execute(f"SELECT {fold.NAME}(%s)", [text])
            assert cursor.fetchone() == (fold.fold(text),), f"U+{ord(letter):04X}"
