"""Exemptions: add, end, import a list with a preview; and what becomes of open candidates."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from reclamation.models import Exemption, RemovalAttempt, RemovalCandidate
from reclamation.rules import exempt, exemption_file
from reclamation.rules.exempt import Protection
from reclamation.states import OPEN, State
from samsaas import schedule
from samsaas.models import AuditEntry
from tests import factories, pages, worlds
from tests.samsaas.lib import workbooks
from tests.samsaas.lib.test_spreadsheets import HARMFUL

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST, NEW, IMPORT = "/exemptions/", "/exemptions/new/", "/exemptions/import/"


@pytest.fixture
def admin(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def today(shift: int = 0) -> str:
    return (timezone.localdate() + timedelta(days=shift)).isoformat()


@pytest.mark.parametrize("who", ["E0042", "e0042", "Ada@One.example", " ada@one.example "])
def test_a_person_is_exempted_by_number_or_address(admin: Any, who: str) -> None:
    ada = factories.person("ada@one.example", key="E0042", name="Ada")
    page = admin.post(NEW, {"who": who, "reason": "Auditor", "until": today(3)}, follow=True).content.decode()
    made = Exemption.objects.get()
    assert (made.person, made.reason, made.until.isoformat(), made.by) == (ada, "Auditor", today(3), admin.user)
    assert "Ada is exempt" in pages.text_of(page) and "Auditor" in page
    assert AuditEntry.objects.get(verb="exempted from reclamation").detail["reason"] == "Auditor"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"who": "nobody@one.example"}, "Nobody in the directory has"),
        ({"who": "shared@one.example"}, "More than one person has"),
        ({"who": ""}, "This field is required"),
        ({"reason": " "}, "This field is required"),
        ({"until": "2020-01-01"}, "This day is over"),
        ({"until": "31.12.2099x"}, "valid date"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_said(admin: Any, fields: dict[str, str], words: str) -> None:
    for _ in range(2):
        factories.person("shared@one.example")
    factories.person(key="E1")
    answer = admin.post(NEW, {"who": "E1", "reason": "Auditor", "until": "", **fields})
    assert words in unescape(answer.content.decode()) and not Exemption.objects.exists()


def test_who_is_here_comes_before_a_leaver_with_the_same_address(admin: Any) -> None:
    factories.person("ada@one.example", left_on=timezone.localdate() - timedelta(days=9))
    here = factories.person("ada@one.example")
    admin.post(NEW, {"who": "ada@one.example", "reason": "Auditor"})
    assert Exemption.objects.get().person == here


def test_a_person_is_exempted_from_their_page(admin: Any) -> None:
    ada = factories.person(name="Ada")
    address = f"{NEW}?person={ada.pk}"
    assert address in admin.get(ada.get_absolute_url()).content.decode()
    assert "Exempt Ada from reclamation" in pages.text_of(admin.get(address).content.decode())
    admin.post(address, {"reason": "Auditor"})
    assert Exemption.objects.get().person == ada


def test_a_subscription_is_exempted_from_its_page_and_says_so(admin: Any) -> None:
    seat = factories.subscription(
        identifier=factories.identifier(), profile=factories.profile(refreshed_at=timezone.now())
    )
    address = f"{NEW}?subscription={seat.pk}"
    assert address in admin.get(seat.get_absolute_url()).content.decode()
    admin.post(address, {"reason": "Shared account"})
    assert Exemption.objects.get().subscription == seat
    assert "An exemption protects it or its user" in admin.get(seat.get_absolute_url()).content.decode()
    for nonsense in ("0", "x", "9" * 30):
        assert admin.get(f"{NEW}?subscription={nonsense}").status_code == 404


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("target", ["person", "subscription"])
def test_an_exemption_closes_open_candidates_at_once(account: Any, state: State, target: str) -> None:
    seat, other = factories.subscription(), factories.subscription()
    person = factories.person()
    factories.match(seat, person)
    candidate, untouched = factories.candidate(seat, state=state), factories.candidate(other)
    held = Protection(**{target: {"person": person, "subscription": seat}[target]}, reason="Auditor", until=None)
    exempt.add(held, by=account("sam_admin"), now=timezone.now())
    candidate.refresh_from_db()
    untouched.refresh_from_db()
    assert candidate.state == State.CLOSED_SKIPPED and untouched.is_open
    assert candidate.history.last().reason == "Exempt: Auditor"


@pytest.mark.parametrize(
    ("attempt", "stays"),
    [("approved", False), ("gated", False), ("calling", True), ("removed", True), ("needs_human", True)],
)
def test_a_removal_that_has_begun_goes_on(account: Any, attempt: str, stays: bool) -> None:
    candidate = factories.candidate(state=State.AWAITING_REVOCATION)
    RemovalAttempt.objects.create(
        candidate=candidate,
        vendor="dropbox",
        team_id="t1",
        external_id=candidate.external_id,
        state=attempt,
        opened_at=timezone.now(),
        intent_at=timezone.now(),
    )
    held = Protection(subscription=candidate.subscription, reason="Auditor", until=None)
    exempt.add(held, by=account("sam_admin"), now=timezone.now())
    candidate.refresh_from_db()
    assert candidate.is_open is stays


def test_a_new_exemption_takes_the_place_of_the_old_one_and_the_same_one_changes_nothing(account: Any) -> None:
    person, by, now = factories.person(), account("sam_admin"), timezone.now()
    first = exempt.add(Protection(person=person, reason="Auditor", until=None), by=by, now=now)
    assert exempt.add(Protection(person=person, reason="Auditor", until=None), by=by, now=now) == first
    second = exempt.add(Protection(person=person, reason="Board", until=None), by=by, now=now)
    assert list(Exemption.objects.open()) == [second] and Exemption.objects.count() == 2


@pytest.mark.parametrize(("shift", "valid"), [(-1, False), (0, True), (1, True)])
def test_the_last_day_counts_and_the_hourly_sweep_ends_what_is_past(account: Any, shift: int, valid: bool) -> None:
    seat = factories.subscription()
    made = Exemption.objects.create(
        subscription=seat, reason="x", until=timezone.localdate() + timedelta(days=shift), at=timezone.now()
    )
    assert Exemption.objects.valid_on(timezone.localdate()).exists() is valid
    schedule.purge()
    made.refresh_from_db()
    assert (made.ended_at is None) is valid
    exempt.add(Protection(subscription=seat, reason="y", until=None), by=account("sam_admin"), now=timezone.now())


def test_an_exemption_is_ended_after_a_confirmation(admin: Any) -> None:
    made = Exemption.objects.create(person=factories.person(name="Ada"), reason="Auditor", at=timezone.now())
    end = f"{LIST}{made.pk}/end/"
    assert end in admin.get(LIST).content.decode() and "Ada" in admin.get(end).content.decode()
    admin.post(end)
    assert not Exemption.objects.open().exists() and AuditEntry.objects.filter(verb="ended exemption").exists()
    assert "has ended already" in admin.post(end, follow=True).content.decode()
    assert pages.rows_behind(admin, LIST) == 0 and pages.rows_behind(admin, f"{LIST}?state=ended") == 1


FILE = """person;reason;until
E0042;Auditor;
ada@one.example;Twice;
bob@one.example;"Board; until spring";{soon}
nobody@one.example;Unknown;
E0043;;
E0044;Late;2020-01-01
E0045;Odd;soon
"""


def upload(client: Any, text: str | bytes, **fields: str) -> str:
    raw = text.encode() if isinstance(text, str) else text
    answer = client.post(IMPORT, {"file": SimpleUploadedFile("list.csv", raw, "text/csv"), **fields})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_a_list_is_previewed_line_by_line_and_applied_after_a_confirmation(admin: Any) -> None:
    factories.person("ada@one.example", key="E0042", name="Ada")
    factories.person("bob@one.example", name="Bob")
    for key in ("E0043", "E0044", "E0045"):
        factories.person(key=key)
    text = FILE.format(soon=today(9))
    page = upload(admin, "\ufeff" + text)
    lines = pages.rows(page, "Line")
    assert lines["2"][3] == "Exempt" and lines["4"][0].startswith("Bob") and lines["4"][1] == "Board; until spring"
    for number, words in (
        ("3", "earlier line"),
        ("5", "Nobody"),
        ("6", "no reason"),
        ("7", "over"),
        ("8", "not a date"),
    ):
        assert "Refused" in lines[number][3] and words in lines[number][3], number
    assert "2 of 7 lines" in pages.text_of(page) and not Exemption.objects.exists()
    admin.post(IMPORT, {"text": kept_text(page), "apply": "1"})
    assert {one.person.name: str(one.until or "") for one in Exemption.objects.all()} == {"Ada": "", "Bob": today(9)}


def kept_text(page: str) -> str:
    """What the form of the preview sends: the lines as they were read."""
    found = re.search(r'name="text" value="(.*?)">', page, flags=re.DOTALL)
    assert found
    return found[1]


SHEET = [
    ["Person", "Reason", "Until"],
    ["E0042", "Auditor", date(2099, 3, 31)],
    [43, "=1+1", None],
    ["E0044", "Late", date(2020, 1, 1)],
]


def test_a_workbook_is_read_as_a_list_and_a_formula_refuses_its_line(admin: Any) -> None:
    for key in ("E0042", "43", "E0044"):
        factories.person(key=key)
    page = upload(admin, workbooks.make_workbook(SHEET))
    lines = pages.rows(page, "Line")
    assert lines["2"][2] == "31 Mar 2099" and lines["2"][3] == "Exempt"
    assert "is a formula" in lines["3"][3] and "over" in lines["4"][3]
    admin.post(IMPORT, {"text": kept_text(page), "apply": "1"})
    assert [one.person.key for one in Exemption.objects.all()] == ["E0042"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_list_is_read_in_every_encoding_that_is_sure_and_with_every_separator(
    admin: Any, encoding: str, mark: str
) -> None:
    factories.person(key="E0042", name="Zoë")
    text = "Person;Until;Reason\nE0042;31.03.2099;Zoë is an auditor\n".replace(";", mark)
    lines = pages.rows(upload(admin, text.encode(encoding)), "Line")
    assert lines["2"] == ["Zoë E0042", "Zoë is an auditor", "31 Mar 2099", "Exempt"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"name;why\nAda;x\n", "The first line must name the columns"),
        (b"person;reason\n\xff\xfe;x\n", "not UTF-8"),
        (b"person;reason;person\nE1;x;E2\n", "same name"),
        (b"person;reason\n", "no line below"),
        (b'person;reason\nE1;"never closed\n', "do not match"),
        (b"person;reason\n" + b"E1;x\n" * 501, "more than 500 lines"),
        (b"person;reason\n" + b"E1;%s\n" % (b"x" * 300) * 250, "too large"),
    ],
    ids=range(9),
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(admin: Any, content: bytes, words: str) -> None:
    assert words in upload(admin, content) and not Exemption.objects.exists()


# These have none of the columns of exemptions, which is told first.
WITHOUT_COLUMNS = {"Windows-1252", "a quote without end", "half UTF-16", "too many columns"}


@pytest.mark.parametrize("case", sorted(HARMFUL.keys() - {"too many lines", "too many lines of CSV"}))
def test_a_file_that_would_do_harm_is_refused_as_by_every_other_import(admin: Any, case: str) -> None:
    content, words = HARMFUL[case]
    told = exemption_file.NO_HEADER if case in WITHOUT_COLUMNS else words
    assert told in upload(admin, content) and not Exemption.objects.exists()


def test_a_line_with_a_control_character_is_refused(admin: Any) -> None:
    factories.person(key="E1")
    lines = pages.rows(upload(admin, b"person;reason\nE1;a\x07b\n"), "Line")
    assert "control character" in lines["2"][3]


def test_thirty_exemptions_cost_as_many_queries_as_one(admin: Any) -> None:
    def one() -> None:
        Exemption.objects.create(person=factories.person(), reason="x", at=timezone.now(), by=admin.user)
        Exemption.objects.create(subscription=factories.subscription(), reason="x", at=timezone.now(), by=admin.user)

    one()
    cost = pages.cost(admin, LIST)
    for _ in range(29):
        one()
    assert pages.cost(admin, LIST) == cost


def test_nonsense_in_the_address_and_text_from_outside(admin: Any) -> None:
    person = factories.person(name="<script>alert(1)</script>")
    Exemption.objects.create(person=person, reason="<b>x</b>", at=timezone.now())
    for query in worlds.nonsense(("q", "state", "sort", "page")):
        assert admin.get(f"{LIST}?{query}").status_code == 200
    page = admin.get(LIST).content.decode()
    assert "<script>alert" not in page and "<b>x</b>" not in page


def test_a_sam_user_sees_exemptions_and_changes_none(signed_in: Any) -> None:
    reader = signed_in("sam_user")
    made = Exemption.objects.create(person=factories.person(), reason="x", at=timezone.now())
    page = reader.get(LIST).content.decode()
    assert NEW not in page and IMPORT not in page and f"{made.pk}/end/" not in page
    assert not RemovalCandidate.objects.exists()
