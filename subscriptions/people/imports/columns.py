"""The columns of a file of people, by the headings that HR systems give them in English, German, French and Spanish.

A column of surnames and one of given names make the name. Where a file has “Name” and given names, but no surnames,
“Name” is the surname, as German and French exports write it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from samsaas.lib.spreadsheets.sheet import OWN_COLUMNS, is_own_file, simplify_heading
from subscriptions.file_columns.table import Choice, ColumnTable, FileColumn

KEY, NAME, GIVEN, SURNAME, EMAILS = "key", "name", "given_name", "surname", "emails"
MANAGER, COST_CENTER, COUNTRY, LEFT_ON = "manager", "cost_center", "country", "left_on"

COLUMNS = (
    FileColumn(
        KEY, "employee number", "Says who is meant: a known one is updated, a new one is added.", "",
        (
            "employee no", "employee id", "employee code", "personnel number", "personnel no", "staff number",
            "staff id", "worker id", "person number", "emp id", "emp no", "employeenumber", "employeeid",
            "Personalnummer", "Personalnr", "Personal-Nr", "Pers.-Nr.", "Persnr", "Mitarbeiternummer", "Mitarbeiter-Nr",
            "Mitarbeiter-ID", "Stammnummer",
            "matricule", "numéro de matricule", "numéro d’employé", "numéro d’employée", "numéro de salarié",
            "n° employé", "n° salarié", "n° de matricule", "numéro matricule", "identifiant employé", "id employé",
            "número de empleado", "nº de empleado", "n° de empleado", "núm. empleado", "núm. de empleado",
            "código de empleado", "id de empleado", "id empleado", "número de personal", "legajo",
        ),
        True,
    ),
    FileColumn(
        NAME, "name", "The whole name, if it stands in one column.", "",
        (
            "full name", "display name", "employee name", "worker", "employee", "legal name", "preferred name",
            "vollständiger Name", "Anzeigename", "Mitarbeitername", "Mitarbeiter", "Vor- und Nachname",
            "Name, Vorname", "Vorname Nachname", "Nachname, Vorname",
            "nom complet", "nom et prénom", "prénom et nom", "nom prénom", "nom affiché", "nom d’affichage",
            "nombre completo", "nombre y apellidos", "apellidos y nombre", "nombre y apellido", "nombre para mostrar",
        ),
    ),
    FileColumn(
        GIVEN, "given name", "Goes before the surname.", "",
        ("first name", "firstname", "forename", "givenname", "Vorname", "Rufname", "prénom", "prénoms", "nombre",
         "nombres", "nombre de pila"),
    ),
    FileColumn(
        SURNAME, "surname", "With the given name it makes the name.", "",
        ("last name", "lastname", "family name", "sn", "Nachname", "Familienname", "Zuname", "nom", "nom de famille",
         "nom d’usage", "apellido", "apellidos", "primer apellido"),
    ),
    FileColumn(
        EMAILS, "e-mails", "All addresses in one cell, separated by semicolons or blanks.", "",
        (
            "e-mail", "emails", "email", "e-mail addresses", "e-mail address", "email address", "email addresses",
            "mail", "work email", "business email", "company email", "primary email", "proxyaddresses",
            "userprincipalname", "email work",
            "E-Mail-Adresse", "E-Mail-Adressen", "Mailadresse", "E-Mail geschäftlich", "geschäftliche E-Mail",
            "dienstliche E-Mail", "E-Mail dienstlich", "Geschäfts-E-Mail",
            "adresse e-mail", "adresse mail", "adresse électronique", "courriel", "adresse courriel", "e-mail pro",
            "e-mail professionnel", "adresse e-mail professionnelle", "mél",
            "correo", "correo electrónico", "correos electrónicos", "dirección de correo", "correo corporativo",
            "dirección de correo electrónico", "email corporativo", "e-mail de trabajo", "correo de trabajo",
        ),
    ),
    FileColumn(
        "department", "department", "", "",
        (
            "department name", "dept", "division", "team", "org unit", "organizational unit", "organisational unit",
            "business unit",
            "Abteilung", "Bereich", "Organisationseinheit", "OrgEinheit", "Org.-Einheit", "Fachbereich",
            "service", "département", "direction", "unité organisationnelle",
            "departamento", "área", "sección", "unidad organizativa",
        ),
    ),
    FileColumn(
        MANAGER, "manager", "The employee number of the manager.", "",
        (
            "manager’s employee number", "manager employee number", "manager number", "manager id",
            "manager employee id",
            "supervisor", "supervisor id", "supervisor number", "reports to", "line manager", "line manager id",
            "Vorgesetzter", "Vorgesetzte", "Vorgesetzte/r", "Personalnummer Vorgesetzter",
            "Vorgesetzter Personalnummer",
            "Personalnummer des Vorgesetzten", "Führungskraft", "Personalnummer Führungskraft",
            "responsable", "matricule du responsable", "matricule responsable", "supérieur", "supérieur hiérarchique",
            "matricule manager", "manager matricule", "matricule du manager", "n+1", "matricule n+1",
            "jefe", "supervisor inmediato", "número de empleado del responsable", "id responsable", "jefe directo",
            "número del responsable",
        ),
    ),
    FileColumn(
        COST_CENTER, "cost center", "", "",
        (
            "cost centre", "costcenter", "cost center code", "cost centre code", "cost center id",
            "Kostenstelle", "Kostenstellennummer", "Kst", "Kostenst.", "Kostenstellen-Nr",
            "centre de coût", "centre de coûts", "centre des coûts", "code centre de coût",
            "centro de coste", "centro de costes", "centro de costo", "centro de costos", "ceco",
        ),
    ),
    FileColumn(
        COUNTRY, "country", "Two letters such as DE, or the name of the country.", "",
        (
            "country code", "country name", "country of work", "work country", "country/region",
            "Land", "Länderkennzeichen", "Ländercode", "Länderschlüssel", "Landescode", "Länderkürzel", "Staat",
            "pays", "code pays", "pays de travail",
            "país", "código de país", "código país", "país de trabajo",
        ),
    ),
    FileColumn(
        LEFT_ON, "left on", "The last day. Empty: active.", "",
        (
            "leaving date", "last day", "termination date", "end date", "exit date", "leave date", "last working day",
            "last day of work", "contract end", "contract end date", "employment end date", "date left", "left at",
            "Austritt", "Austrittsdatum", "Austritt am", "Austrittstermin", "letzter Arbeitstag", "Vertragsende",
            "ausgeschieden am", "Ende Arbeitsverhältnis", "Beschäftigungsende",
            "date de sortie", "date de départ", "date de fin", "fin de contrat", "date de fin de contrat", "sortie",
            "dernier jour", "dernier jour de travail", "date sortie",
            "fecha de baja", "fecha baja", "baja", "fecha de salida", "fin de contrato", "fecha fin", "último día",
            "fecha de fin", "fecha fin de contrato", "fecha de terminación", "fecha de cese",
        ),
    ),
)  # fmt: skip
TABLE = ColumnTable(COLUMNS, either=(NAME, SURNAME), ours=frozenset())
# The heading of each column in the files we write.
LABELS = {column.key: column.label for column in COLUMNS}
REQUIRED = (KEY, NAME)
# An example file: the columns, and some people.
EXAMPLE = (
    (KEY, NAME, EMAILS, "department", MANAGER, COST_CENTER, COUNTRY, LEFT_ON),
    ("1001", "Anna Müller", "anna.mueller@example.com; anna@example.com", "Sales", "1000", "CC-20", "DE", ""),
    ("1000", "José Peña", "jose.pena@example.com", "Sales", "", "CC-20", "ES", ""),
    ("0999", "Kim Lee", "kim.lee@example.com", "IT", "1000", "CC-10", "GB", "2026-03-31"),
)


def choose_columns(headings: Sequence[str], chosen: Mapping[str, int]) -> Choice:
    """Which column is which: as a person chose, or else as the headings say."""
    choice = TABLE.use_chosen(chosen, headings) if chosen else TABLE.read_headings(headings)
    places = dict(choice.places)
    if {NAME, GIVEN} <= places.keys() and SURNAME not in places:
        places[SURNAME] = places.pop(NAME)
    elif NAME in places:
        places = {key: place for key, place in places.items() if key not in (GIVEN, SURNAME)}
    return replace(choice, places=places)


def is_ours(heading: str, headings: Sequence[str]) -> bool:
    """Whether a column is one that our own files of refused lines add. In a file of somebody else there is none."""
    return is_own_file(headings) and simplify_heading(heading) in OWN_COLUMNS


def join_name(cells: Mapping[str, Any]) -> str:
    """The whole name of a line whose names stand in columns of their own."""
    return " ".join(filter(None, (cells.get(GIVEN, "").strip(), cells.get(SURNAME, "").strip())))
