"""Files as HR systems of several countries write them, and what a person is asked where a file does not say it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from subscriptions.models import Person, PersonAddress, PersonImport, PersonImportLayout
from tests import factories, pages
from tests.samsaas.lib.workbooks import make_workbook
from tests.subscriptions.people.people_world import applied, effects, press, send, staged

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def columns_of(upload: PersonImport) -> str:
    return f"{upload.get_absolute_url()}columns/"


def answer(client: Any, upload: PersonImport, **chosen: Any) -> PersonImport:
    """Answer what is asked of a file, and let it be read again."""
    press(client, upload, "columns", **chosen)
    upload.refresh_from_db()
    return upload


ANNA = ("7", "Anna Müller", ["anna@acme.example"], "Vertrieb", "1", "CC-1", "DE", date(2026, 3, 31))
HR_FILES = {
    "German": """Personal-Nr.;Vorname;Nachname;E-Mail-Adresse;Abteilung;Vorgesetzter;Kostenstelle;Land;Austrittsdatum
7;Anna;Müller;anna@acme.example;Vertrieb;1;CC-1;Deutschland;31.03.2026
""",
    "surname as the name": """PERSONALNUMMER;Name;Vorname;E-Mail;Abteilung;Führungskraft;Kst;Land;Austritt
7;Müller;Anna;anna@acme.example;Vertrieb;1;CC-1;DEUTSCHLAND;31. März 2026
""",
    "French": """Matricule;Prénom;Nom;Adresse e-mail;Service;Matricule responsable;Centre de coûts;Pays;Date de sortie
7;Anna;Müller;anna@acme.example;Vertrieb;1;CC-1;Allemagne;31/03/2026
""",
    "Spanish": """Nº de empleado;Nombre;Apellidos;Correo electrónico;Departamento;Jefe;Centro de costes;País;Baja
7;Anna;Müller;anna@acme.example;Vertrieb;1;CC-1;Alemania;31/03/2026
""",
    "English": """Employee_ID,First Name,LAST NAME,Work E-mail,Dept.,Manager ID,Cost-Centre,Country,Termination date
7,Anna,Müller,anna@acme.example,Vertrieb,1,CC-1,Germany,03/31/2026
""",
}


@pytest.mark.parametrize("language", HR_FILES)
def test_the_file_of_an_hr_system_is_read_as_it_is(keeper: Any, language: str) -> None:
    factories.person(key="1", name="Boss")
    applied(staged(HR_FILES[language], keeper.user), keeper.user)
    anna = Person.objects.get(key="7")
    addresses = list(anna.addresses.values_list("address", flat=True))
    told = (anna.key, anna.name, addresses, anna.department, anna.manager, anna.cost_center, anna.country, anna.left_on)
    assert told == ANNA


def test_letters_that_can_be_read_in_several_ways_are_shown_in_all_of_them_and_never_guessed(keeper: Any) -> None:
    page = send(keeper, "Personalnummer;Name;Straße\n7;Müller, Zoë;x\n8;Bob;y\n".encode("cp1252"))
    upload = PersonImport.objects.get()
    assert not upload.rows.exists() and page.status_code == 200
    upload = staged("Personalnummer;Name;Straße\n7;Müller, Zoë;x\n8;Bob;y\n".encode("cp1252"), keeper.user)
    text = pages.text_of(keeper.get(upload.get_absolute_url()).content.decode())
    assert upload.state == "choosing" and "In which encoding is the file?" in text
    assert "7;Müller, Zoë;x" in text and "7;M\ufffdller, Zo\ufffd;x" in text and "8;Bob" not in text
    upload = answer(keeper, upload, encoding="cp1252")
    assert "Windows-1252" in keeper.get(upload.get_absolute_url()).content.decode()
    applied(upload, keeper.user)
    assert Person.objects.get(key="7").name == "Müller, Zoë"
    upload.refresh_from_db()
    assert "Zoë" not in str(upload.counters) and not upload.pieces.exists()


def test_of_a_file_in_utf_8_with_a_damaged_line_that_line_alone_is_refused(keeper: Any) -> None:
    content = "employee number,name\n7,Zoë\n".encode() + b"8,M\xfcller\n"
    upload = answer(keeper, staged(content, keeper.user), encoding="utf-8")
    assert effects(upload) == {"7": "new", "8": "refused"}
    assert upload.rows.get(key="8").problem == "The line is not UTF-8."


@pytest.mark.parametrize("given", [{}, {"encoding": "koi8-r"}, {"encoding": ["x", "y"]}])
def test_an_answer_that_is_none_is_asked_again(keeper: Any, given: dict[str, Any]) -> None:
    upload = staged("Personalnummer;Name\n7;Müller\n".encode("cp1252"), keeper.user)
    page = keeper.post(columns_of(upload), given)
    assert page.status_code == 200 and "aria-invalid" in page.content.decode()
    upload.refresh_from_db()
    assert upload.state == "choosing"


def test_headings_nobody_knows_are_asked_for_once(keeper: Any) -> None:
    """Not for the next file with the same headings, nor for the file of its refused lines."""
    text = "Numer,Imię i nazwisko,Adres\n7,Anna,anna@acme.example\n8,,\n"
    upload = staged(text, keeper.user)
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert upload.state == "choosing" and "Which column is employee number" in pages.text_of(page)
    assert "Numer: 7, 8" in page, "the first lines help to choose"
    upload = answer(keeper, upload, column_key="0", column_name="1", column_emails="2")
    assert effects(upload) == {"7": "new", "8": "refused"}
    refused = b"".join(keeper.get(f"{upload.get_absolute_url()}errors/").streaming_content).decode()
    assert "employee number" in refused and "Numer" not in refused
    applied(upload, keeper.user)
    assert PersonAddress.objects.get().address == "anna@acme.example"
    again = staged(text.replace("Anna", "Anne"), keeper.user)
    assert effects(again) == {"7": "changed", "8": "refused"}
    assert "chosen for an earlier file" in keeper.get(again.get_absolute_url()).content.decode()
    assert effects(staged(refused.replace('"8",""', '"8","Bob"'), keeper.user)) == {"8": "new"}


def test_a_heading_that_is_left_over_can_be_given_a_meaning_after_the_preview(keeper: Any) -> None:
    upload = staged("employee number,name,Dział\n7,Anna,IT\n", keeper.user)
    assert effects(upload) == {"7": "new"} and upload.pieces.exists()
    text = pages.text_of(keeper.get(upload.get_absolute_url()).content.decode())
    assert "Columns that are not used Dział" in text and "Say what they are" in text
    upload = answer(keeper, upload, column_key="0", column_name="1", column_department="2")
    applied(upload, keeper.user)
    assert Person.objects.get().department == "IT" and not upload.pieces.exists()
    assert keeper.get(columns_of(upload)).status_code == 302, "now it is over"


def test_two_columns_that_could_be_the_same_are_asked_for(keeper: Any) -> None:
    upload = staged("employee number,Full name,Display name\n7,Anna M. Lee,Anna\n", keeper.user)
    text = pages.text_of(keeper.get(upload.get_absolute_url()).content.decode())
    assert "More than one column could be name" in text
    applied(answer(keeper, upload, column_key="0", column_name="2"), keeper.user)
    assert Person.objects.get().name == "Anna"


@pytest.mark.parametrize(
    "chosen", [{"column_key": "0", "column_name": "0"}, {"column_key": "99"}, {"column_name": "x"}, {"sheet": "x"}]
)
def test_a_choice_that_makes_no_sense_is_refused_or_asked_again(keeper: Any, chosen: dict[str, str]) -> None:
    upload = staged("Numer,Nazwisko\n7,Anna\n", keeper.user)
    assert keeper.post(columns_of(upload), chosen, follow=True).status_code == 200
    answered = answer(keeper, upload, **chosen)
    assert answered.state in ("choosing", "reading") and not PersonImportLayout.objects.filter(columns={}).exists()


DAYS = "employee number,name,left on\n1,Ann,{}\n2,Bob,{}\n"


@pytest.mark.parametrize(
    ("days", "read"),
    [
        (("03/04/2026", "31/12/2026"), [date(2026, 4, 3), date(2026, 12, 31)]),
        (("03/04/2026", "12/31/2026"), [date(2026, 3, 4), date(2026, 12, 31)]),
        (("03-04-2026", "13-04-2026"), [date(2026, 4, 3), date(2026, 4, 13)]),
        (("04/04/2026", "9999-12-31"), [date(2026, 4, 4), None]),
    ],
)
def test_the_dates_of_a_column_say_themselves_what_comes_first(keeper: Any, days: Any, read: Any) -> None:
    applied(staged(DAYS.format(*days), keeper.user), keeper.user)
    assert list(Person.objects.order_by("key").values_list("left_on", flat=True)) == read


def test_where_they_do_not_say_it_a_person_is_asked_once(keeper: Any) -> None:
    upload = staged(DAYS.format("03/04/2026", "05/06/2026"), keeper.user)
    text = pages.text_of(keeper.get(upload.get_absolute_url()).content.decode())
    assert upload.state == "choosing" and "Does the day or the month come first?" in text
    asked = {"column_key": "0", "column_name": "1", "column_left_on": "2"}
    assert answer(keeper, upload, **asked).state == "choosing", "an answer is needed"
    applied(answer(keeper, upload, **asked, date_order="day"), keeper.user)
    assert Person.objects.get(key="2").left_on == date(2026, 6, 5)
    assert staged(DAYS.format("03/04/2026", "07/06/2026"), keeper.user).state == "preview", "as it was said before"
    upload = staged(DAYS.format("03/04/2026", "05/31/2026"), keeper.user)
    applied(upload, keeper.user)
    assert Person.objects.get(key="1").left_on == date(2026, 3, 4), "what the dates say themselves goes first"


def test_dates_that_contradict_each_other_are_asked_for_and_the_wrong_ones_left_out(keeper: Any) -> None:
    upload = staged(DAYS.format("31/12/2026", "12/31/2026"), keeper.user)
    asked = {"column_key": "0", "column_name": "1", "column_left_on": "2", "date_order": "month"}
    upload = answer(keeper, upload, **asked)
    assert [bool(row.left_out) for row in upload.rows.all()] == [True, False]


def test_a_bad_cell_costs_the_cell_and_the_preview_says_so(keeper: Any) -> None:
    factories.person("ann@acme.example", key="1", name="Ann", country="ES", left_on="2020-06-30")
    text = "employee number,name,e-mails,department,country,left on\n1,Ann,nobody,IT,Spayn,some day\n2,Bob,,,DE,\n"
    upload = staged(text, keeper.user, everybody=True)
    assert effects(upload) == {"1": "changed", "2": "new"} and upload.counters["left_out"] == 1
    shown = pages.text_of(keeper.get(f"{upload.get_absolute_url()}?cells=left_out").content.decode())
    assert "Cells left out 1" in shown and "1–1 of 1" in shown
    assert "Left out Country “Spayn”" in shown and "Left out Left on “some day” is not a date" in shown
    applied(upload, keeper.user)
    ann = Person.objects.get(key="1")
    kept = (ann.department, ann.country, ann.left_on, ann.addresses.get().address)
    assert kept == ("IT", "ES", date(2020, 6, 30), "ann@acme.example"), "what is left out stays as it was"
    assert set(effects(staged(text, keeper.user, strict=True)).values()) == {"refused", "same"}


def test_a_formula_in_a_workbook_costs_its_cell_too(keeper: Any) -> None:
    rows = [["Employee ID", "Name", "Department", "Country"], [7, "Ann", "=A1", "Germany"]]
    upload = staged(make_workbook(rows), keeper.user, name="people.xlsx")
    applied(upload, keeper.user)
    ann = Person.objects.get()
    assert (ann.department, ann.country) == ("", "DE")


def test_strictness_is_a_tick_of_the_form(keeper: Any) -> None:
    send(keeper, b"employee number,name\n1,Ann\n", strict="on")
    assert PersonImport.objects.get().strict


def test_equal_lines_count_once_and_contradicting_ones_are_refused(keeper: Any) -> None:
    lines = "1,Ann,A@acme.example b@acme.example\n1,Ann,b@acme.example;a@acme.example\n2,Bob,\n2,Bobby,\n"
    upload = staged("employee number,name,e-mails\n" + lines, keeper.user)
    assert sorted(upload.rows.values_list("line", "effect")) == [(2, "new"), (4, "refused"), (5, "refused")]
    assert "1 line repeats another one" in keeper.get(upload.get_absolute_url()).content.decode()
    applied(upload, keeper.user)
    assert Person.objects.get().key == "1"


def test_lines_that_are_no_records_are_passed_over(keeper: Any) -> None:
    text = "employee number,name\n---,---\n1,Ann\n\nEmployee Number,NAME\n2,Bob\nTotal,2\n"
    assert effects(staged(text, keeper.user)) == {"1": "new", "2": "new", "Total": "refused"}


def test_the_file_of_refused_lines_keeps_a_surplus_cell_beside_columns_that_are_not_used(keeper: Any) -> None:
    text = "employee number,Shoe size,name,department\n7,38,Müller, Anna,Sales\n8,39,,IT\n"
    upload = staged(text, keeper.user)
    refused = b"".join(keeper.get(f"{upload.get_absolute_url()}errors/").streaming_content).decode()
    assert '"employee number","Shoe size","name","department","line","problem"' in refused
    assert '"7","38","Müller","Anna","2",' in refused and refused.splitlines()[1].endswith('"Sales"')
    again = staged(refused, keeper.user)
    assert set(effects(again).values()) == {"refused"}
    twice = b"".join(keeper.get(f"{again.get_absolute_url()}errors/").streaming_content).decode()
    assert twice.splitlines()[1].endswith('"Sales"') and twice.count('"line"') == 1


def test_leavers_who_have_a_subscription_are_counted(keeper: Any) -> None:
    for number in ("1", "2", "3"):
        factories.match(factories.subscription(), factories.person(key=number, name="P"))
    factories.person(key="4", name="P")
    text = "employee number,name,left on\n1,P,2020-01-01\n3,P,\n"
    upload = staged(text, keeper.user, everybody=True)
    assert upload.counters["leavers_with_seats"] == 2, "1 by its last day, 2 because it is missing; 4 has none"
    shown = pages.text_of(keeper.get(upload.get_absolute_url()).content.decode())
    assert "Leavers with subscriptions 2" in shown
