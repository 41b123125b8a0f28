"""Texts that mean the same have one form, and texts that do not mean the same have two."""

from __future__ import annotations

import unicodedata

import pytest

from samsaas.lib import text_forms

pytestmark = pytest.mark.one_database

SAME_NAMES = [
    ("José Peña", unicodedata.normalize("NFD", "José Peña")),
    ("Anna Müller", "MÜLLER, Anna"),
    ("Anna Müller", "Müller,Anna"),
    ("Siobhán O’Brien", "Siobhán O'Brien"),
    ("Siobhán O'Brien", "SIOBHÁN O\u02bcBRIEN"),
    ("Siobhán O'Brien", "Siobhán O\u00b4Brien"),
    ("Lee Spaces", "Lee  Spaces"),
    ("Lee Spaces", "Lee\u00a0Spaces "),
    ("Jean-Luc Petit", "Jean\u2010Luc Petit"),
    ("Jean-Luc Petit", "Jean\u2011Luc\u202fPetit"),
    ("Jean-Luc Petit", "Jean\u2013Luc Petit"),
    ("Uwe Weiß", "UWE WEISS"),
    ("Uwe Weiß", "uwe weiss"),
    ("Sofia Office", "Sofia O\ufb03ce"),
    ("Ann Smith", "Ann\u200b Smith"),
    ("Ann Smith", "Ａｎｎ Ｓｍｉｔｈ"),
]
OTHER_NAMES = [
    ("Mike Smith", "Mıke Smith"),
    ("MIKE SMITH", "Mıke Smith"),
    ("Ines Diaz", "İnes Diaz"),
    ("Zoë Müller", "Zoe Muller"),
    ("Anna Müller", "Anna Mueller"),
    ("Anna Lee", "Аnna Lee"),
    ("Kim Lee", "Lee Kim"),
]


@pytest.mark.parametrize(("one", "other"), SAME_NAMES)
def test_names_that_mean_the_same_are_equal(one: str, other: str) -> None:
    assert text_forms.normalize_name(one) == text_forms.normalize_name(other)


@pytest.mark.parametrize(("one", "other"), OTHER_NAMES)
def test_names_that_do_not_mean_the_same_are_not(one: str, other: str) -> None:
    assert text_forms.normalize_name(one) != text_forms.normalize_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        (" ann@example.com\u00a0", "ann@example.com"),
        ("JÜRGEN@example.com", "jürgen@example.com"),
        ("jose\u0301@example.com", "JOSÉ@example.com"),
        ("P00083", "p00083"),
        ("K\u00d6LN  7", "ko\u0308ln\u00a07"),
    ],
)
def test_identifiers_that_are_the_same_are_equal(one: str, other: str) -> None:
    assert text_forms.normalize_identifier(one) == text_forms.normalize_identifier(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mıke@example.com", "mike@example.com"),
        ("MIKE@example.com", "mıke@example.com"),
        ("İnes@example.com", "ines@example.com"),
        ("ﬁona@example.com", "fiona@example.com"),
        ("\u212aim@example.com", "kim@example.com"),
        ("ſam@example.com", "sam@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("ａｎｎ@example.com", "ann@example.com"),
        ("аnna@example.com", "anna@example.com"),
        ("007", "7"),
    ],
)
def test_no_letter_of_an_identifier_is_taken_for_another(one: str, other: str) -> None:
    assert text_forms.normalize_identifier(one) != text_forms.normalize_identifier(other)


@pytest.mark.parametrize("form", [text_forms.clean_text, text_forms.normalize_identifier, text_forms.normalize_name])
def test_a_form_of_a_form_is_the_same_form(form) -> None:  # type: ignore[no-untyped-def]
    texts = [text for pair in (*SAME_NAMES, *OTHER_NAMES) for text in pair]
    for text in (*texts, "", " ", "İ", "ẞ", "ΟΔΟΣ", "\u212a\u0301", "Å\u0323", "ﬃ"):
        assert form(form(text)) == form(text), text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Ko\u0308ln", "Köln"),
        (" Human\u00a0 Resources ", "Human Resources"),
        ("Sales\u00ad", "Sales"),
        ("\ufeffR&D", "R&D"),
        ("Ｒ＆Ｄ", "Ｒ＆Ｄ"),
        ("a\nb", "a\nb"),
    ],
)
def test_a_stored_text_is_composed_and_has_no_needless_blanks(text: str, stored: str) -> None:
    assert text_forms.clean_text(text) == stored
