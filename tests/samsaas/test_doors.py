"""What is refused before anything reads it, what is never answered with 500, and which headers no answer misses."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from profiles.models import IntegrationProfile
from samsaas import doors, policy
from samsaas.lib.body_limits import BESIDE_THE_FILE, LARGEST_FILE, LARGEST_FORM
from samsaas.web_server.application import Handler
from subscriptions.models import PersonImport
from tests import factories, pages, test_permissions, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
UPLOAD = "/people/imports/"
FORM, WITH_FILE = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
BASE64 = b"Content-Transfer-Encoding: base64"
HEADERS = ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options")


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("The body was read.")

    readline = readlines = __iter__ = read  # type: ignore[assignment]


def send_unread(client: Client, address: str, kind: str, length: int, **more: Any) -> Any:
    """POST by a client that checks nothing, with a body that nobody may read."""
    headers = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(length), "wsgi.input": Unread(), **more}
    return client.generic("POST", address, **headers)


def over_network(client: Client, method: str, address: str, **environ: Any) -> tuple[int, dict[str, str]]:
    """The answer of the entry point that the web server calls."""
    wanted: list[Any] = []
    full = client._base_environ(PATH_INFO=address, REQUEST_METHOD=method, **environ)  # type: ignore[attr-defined]
    answer = Handler()(full, lambda status, headers, *rest: wanted.extend((int(status.split()[0]), dict(headers))))
    answer.close()  # type: ignore[attr-defined]
    return wanted[0], wanted[1]


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [WITH_FILE, FORM, "application/json", "text/plain", "", "application/octet-stream"])
def test_a_stranger_makes_no_page_read_a_large_body(kind: str) -> None:
    for name, address in test_permissions.addresses().items():
        answer = send_unread(Client(enforce_csrf_checks=True), address, kind, 30 * 1024**2)
        assert answer.status_code in (302, 405, 413, 415), (name, answer.status_code)
    assert send_unread(Client(), "/no-such-page", kind, 30 * 1024**2).status_code in (413, 415)


@pytest.mark.parametrize("role", ["", "sam_user", "sam_integrator"])
def test_who_may_not_upload_makes_the_upload_page_read_nothing(signed_in: Any, role: str) -> None:
    assert send_unread(signed_in(role), UPLOAD, WITH_FILE, 1024**2).status_code == 403


def test_a_signed_in_person_with_the_role_uploads_one_file(signed_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    keeper = signed_in("sam_admin")
    file = SimpleUploadedFile("people.csv", b"Employee number,Name\n1,Ann\n")
    assert keeper.post(UPLOAD, {"file": file}).status_code == 302
    assert PersonImport.objects.get().file_name == "people.csv"


def test_a_second_file_is_refused_with_the_whole_form(signed_in: Any) -> None:
    files = [SimpleUploadedFile(f"{name}.csv", b"Employee number,Name\n1,Ann\n") for name in "ab"]
    for fields in ({"file": files}, {"file": files[0], "other": files[1]}):
        answer = signed_in("sam_admin", username=f"keeper{len(fields)}").post(UPLOAD, fields)
        assert answer.status_code == 400 and "more than one file" in answer.content.decode()
    assert not PersonImport.objects.exists()


def test_a_file_for_a_page_that_takes_none_is_refused(signed_in: Any, draft: Any) -> None:
    for address in (f"/integration-profiles/{draft.pk}/edit/", "/accounts/login/"):
        file = SimpleUploadedFile("a.txt", b"a" * 1000)
        assert signed_in("admin", username=address[1:8]).post(address, {"file": file}).status_code == 400


def test_the_whole_upload_is_bounded_and_says_how_large_a_file_may_be(signed_in: Any) -> None:
    answer = send_unread(signed_in("sam_admin"), UPLOAD, WITH_FILE, LARGEST_FILE + BESIDE_THE_FILE + 1)
    page = pages.text_of(answer.content.decode())
    assert answer.status_code == 413 and "at most 40 MB" in page and "Nothing was changed" in page


def test_a_form_is_small() -> None:
    assert send_unread(Client(), "/accounts/login/", FORM, LARGEST_FORM + 1).status_code == 413
    assert Client().post("/accounts/login/", "a=" + "b" * (LARGEST_FORM - 2), content_type=FORM).status_code == 200
    many = "&".join(f"a{number}=1" for number in range(501))
    answer = Client().post("/accounts/login/", many, content_type=FORM)
    assert answer.status_code == 400 and "too many fields" in answer.content.decode()


@pytest.mark.parametrize("encoding", ["chunked", "gzip, chunked", "identity"])
def test_a_body_without_a_length_is_refused(encoding: str) -> None:
    answer = send_unread(Client(), "/accounts/login/", FORM, 0, HTTP_TRANSFER_ENCODING=encoding)
    assert answer.status_code == 411 and "Content-Length" in answer.content.decode()


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "abc", "９", "9" * 30, "5, 5"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    answer = Client().generic("POST", "/accounts/login/", CONTENT_LENGTH=length, CONTENT_TYPE=FORM)
    assert answer.status_code == 400


def test_over_the_network_a_form_is_urlencoded_and_a_file_has_its_page(client: Client) -> None:
    """Django's test client sends every form as multipart, so only the entry point of the web server is so strict."""
    bodies = {FORM: 200, WITH_FILE: 415, "application/json": 415, "": 415, "text/xml": 415}
    for kind, status in bodies.items():
        environ = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": "3", "wsgi.input": io.BytesIO(b"a=b")}
        found, headers = over_network(client, "POST", "/accounts/login/", **environ)
        expected = 403 if status == 200 else status  # no CSRF token
        assert (found, kind) == (expected, kind) and set(HEADERS) <= headers.keys()


def test_a_broken_form_is_a_page_and_not_a_failure(signed_in: Any) -> None:
    keeper = signed_in("sam_admin")
    for body, kind in (
        (b"--y\r\nnothing", WITH_FILE),
        (b"a=b", "multipart/form-data"),
        (b"a=b", "multipart/form-data; boundary=" + "x" * 300),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n' + BASE64 + b"\r\n\r\n!", WITH_FILE),
        (b"a=b", FORM + "; charset=utf-16"),
        (b"a=b", FORM + "; charset=no-such-one"),
    ):
        assert keeper.generic("POST", UPLOAD, body, content_type=kind).status_code < 500, kind


def test_few_uploads_at_once_hold_few_threads(signed_in: Any, rf: Any) -> None:
    seen = []

    def answer(request: HttpRequest) -> HttpResponse:
        if len(seen) < doors.UPLOADS_AT_ONCE:
            seen.append(request)
            seen.append(door(rf.post(UPLOAD)).status_code)
        return HttpResponse()

    door = doors.RequestDoor(answer)
    assert door(rf.post(UPLOAD)).status_code == 200
    held = [door.free_places.acquire() for _ in range(doors.UPLOADS_AT_ONCE)]
    busy = door(rf.post(UPLOAD))
    assert all(held) and busy.status_code == 503 and busy["Retry-After"]
    assert door(rf.get(UPLOAD)).status_code == 200, "only uploads wait"


def test_every_form_with_a_file_is_a_page_that_takes_one() -> None:
    with_file = [name for name in Path("templates").rglob("*.html") if "multipart/form-data" in name.read_text()]
    names = sorted(f"{file.parent.name}/{file.name}" for file in with_file)
    assert names == [
        "allocations/allocation_import.html",
        "imports/import_new.html",
        "imports/import_new.html",
        "rules/exemption_import.html",
    ], "of entitlements, of people, and of exemptions"
    assert policy.POLICY.keys() >= policy.UPLOADS and len(names) == len(policy.UPLOADS)


# --- addresses and values ---------------------------------------------------------------------------------------------

CONTROLS = [chr(number) for number in (*range(9), 11, 12, *range(14, 32), 127)]


@pytest.mark.parametrize("mark", CONTROLS, ids=repr)
def test_control_characters_are_refused_at_every_entry(signed_in: Any, mark: str) -> None:
    admin = signed_in("admin")
    for address in (
        f"/subscriptions/?q=a{quote(mark)}b",
        f"/subscriptions/?a{quote(mark)}=1",
        f"/core/profiles/jobrun/?state={quote(mark)}",
        f"/oauth_redirect.do?state={quote(mark)}&code=x",
        f"/accounts/login/?next=/{quote(mark)}",
        f"/integration-profiles/{quote(mark)}/",
        f"/no-such-page{quote(mark)}",
    ):
        answer = admin.get(address)
        assert answer.status_code == 400 and "could not be read" in answer.content.decode(), address


@pytest.mark.parametrize("mark", ["\t", "\r", "\n"], ids=repr)
def test_line_ends_and_tabs_are_text_but_no_part_of_a_path(signed_in: Any, mark: str) -> None:
    assert signed_in("admin").get(f"/subscriptions/?q=a{quote(mark)}b").status_code == 200
    assert Client().get(f"/no{quote(mark)}page").status_code == 400


@pytest.mark.parametrize("purpose", ["\0", "subscriptions\0", "\x1b[31m", "x\x7f"], ids=repr)
def test_a_form_with_control_characters_is_refused_before_it_acts(integrator: Any, draft: Any, purpose: str) -> None:
    for fields in ({"purpose": purpose}, {purpose: "subscriptions"}, {"purpose": ["subscriptions", purpose]}):
        answer = integrator.post(f"/integration-profiles/{draft.pk}/authorize/", fields)
        assert answer.status_code == 400 and "cannot be stored" in answer.content.decode()


def test_over_long_addresses_are_refused_and_long_values_are_not_a_failure(signed_in: Any) -> None:
    admin = signed_in("admin")
    assert admin.get("/subscriptions/?q=" + "x" * doors.LONGEST_QUERY).status_code == 414
    assert admin.get("/" + "x" * (doors.LONGEST_PATH + 1)).status_code == 414
    for address in test_permissions.addresses().values():
        for value in ("x" * 2500, "9" * 2500):
            assert admin.get(f"{address}?q={value}&page={value}&back={value}").status_code < 500, address
    profile = IntegrationProfile.objects.get()
    for purpose in ("x" * 100_000, "9" * 5000):
        answer = admin.post(f"/integration-profiles/{profile.pk}/authorize/", {"purpose": purpose})
        assert answer.status_code < 500


HUGE = (str(2**31), "9" * 19, "9" * 5000, "1e999")
LOOKUPS = ("id", "id__in", "id__gt", "profile__id__exact", "created_at__year", "q", "p", "o", "no__such", "_to_field")


def core_ui_lists() -> Iterator[str]:
    from django.contrib import admin  # noqa: PLC0415

    for model in admin.site._registry:
        yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_core_ui_filters_are_never_a_failure(signed_in: Any, draft: Any) -> None:
    admin = signed_in("admin")
    admin.raise_request_exception = False
    failed = []

    def ask(address: str, **query: str) -> None:
        if admin.get(address, query).status_code >= 500:
            failed.append((address[:60], {name: value[:20] for name, value in query.items()}))

    for address in core_ui_lists():
        for value in HUGE:
            for name in {*LOOKUPS, *filter_parameters(admin, address)}:
                ask(address, **{name: value})
            ask(f"{address}{quote(value)[:1500]}/change/")
    for key in (*HUGE, "x", "_2F", "_"):
        for action in ("password", "change", "history"):
            ask(f"/core/auth/user/{quote(key)[:1500]}/{action}/")
    assert failed == []


def filter_parameters(admin: Any, address: str) -> set[str]:
    """The parameters behind the filters of a list in Core UI."""
    page = admin.get(address).content.decode()
    return set(re.findall(r'href="\?([\w]+)=', page))


@pytest.mark.parametrize("error", [DataError("integer out of range"), OverflowError("too large for SQLite")], ids=repr)
def test_a_value_that_the_database_cannot_hold_is_a_page(signed_in: Any, monkeypatch: Any, error: Exception) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr("samsaas.home.views.render", fail)
    answer = signed_in("sam_user").get("/")
    assert answer.status_code == 400 and "out of range" in answer.content.decode()


# --- where to go on -------------------------------------------------------------------------------------------------

NO_PATHS = [
    "x",
    "foo:",
    "home",
    "a.b",
    "?q=1",
    "#a",
    "%2F",
    "https:",
    "//x",
    "/\\x",
    "\\",
    "/\u2028x",
    "/x\u202ey",
    "/" * 2001,
]


@pytest.mark.parametrize("place", NO_PATHS, ids=repr)
def test_a_place_that_is_no_path_leads_to_the_default_after_the_act(signed_in: Any, account: Any, place: str) -> None:
    keeper = signed_in("sam_admin")
    seat, person = factories.subscription(email="ann@example.com"), factories.person("ann@example.com")
    answer = keeper.post("/subscriptions-without-user/match/", {"pair": f"{seat.pk}:{person.pk}", "back": place})
    assert answer["Location"] == seat.get_absolute_url()
    remove = reverse("unmatched_remove", args=[seat.pk])
    assert keeper.post(remove, {"back": place})["Location"] == seat.get_absolute_url()
    assert keeper.get(reverse("unmatched_search", args=[seat.pk]), {"back": place}).status_code == 200
    account("sam_user", username="ann")
    sent = {"username": "ann", "password": "a long password", "next": place}
    assert Client().post("/accounts/login/", sent)["Location"] == "/"
    assert keeper.post("/accounts/logout/", {"next": place})["Location"] == "/accounts/login/"


def test_signing_in_through_core_ui_is_the_same_door(signed_in: Any) -> None:
    assert Client().get("/core/login/?next=//x")["Location"].startswith("/accounts/login/")
    admin = signed_in("admin")
    assert admin.get("/core/login/?next=//x")["Location"] == "/core/"
    answer = admin.post("/core/logout/", {"next": "//x"})
    assert answer["Location"] == "/accounts/login/" and answer["Clear-Site-Data"]
    assert "_auth_user_id" not in admin.session


# --- methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "POST", "TRACE"])
def test_the_vendors_code_is_used_up_by_get_only(integrator: Any, draft: Any, dropbox: Any, method: str) -> None:
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    before = len(dropbox.log)
    answer = integrator.generic(method, back)
    assert (answer.status_code, answer["Allow"]) == (405, "GET") and len(dropbox.log) == before
    assert integrator.get(back).status_code == 303 and len(dropbox.log) > before


def test_no_page_does_its_work_for_options(signed_in: Any) -> None:
    for name, address in test_permissions.addresses().items():
        assert signed_in("admin", username=name).options(address).status_code == 405, name


# --- headers of every answer ------------------------------------------------------------------------------------------


def check_headers(answer: Any, *, may_be_stored: bool = False) -> None:
    for name in HEADERS:
        assert answer.headers.get(name), (name, answer)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert ("no-store" not in answer.headers.get("Cache-Control", "")) == may_be_stored


@pytest.mark.parametrize("identity", ["anonymous", "sam_user", "admin"])
def test_no_answer_is_stored_and_every_answer_is_hardened(signed_in: Any, identity: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    client = Client() if identity == "anonymous" else signed_in(identity)
    for name, address in test_permissions.addresses().items():
        for method in ("GET", "HEAD", "OPTIONS", "DELETE") + (
            ("POST",) if name not in ("logout", "profile_delete") else ()
        ):
            check_headers(client.generic(method, address))


def test_answers_that_django_makes_before_any_page_are_hardened_too(
    client: Client, integrator: Any, settings: Any
) -> None:
    client.raise_request_exception = False
    strict = Client(enforce_csrf_checks=True)
    refusals = {
        "bad host": (400, client.get("/", headers={"host": "evil.example"})),
        "odd host": (400, client.get("/", headers={"host": "a b"})),
        "odd path": (400, client.get("/%00")),
        "no page": (404, client.get("/no-such-page")),
        "no static file": (404, client.get("/static/no-such-file.css")),
        "no token": (403, strict.post("/accounts/login/", {"username": "ann"})),
        "too large": (413, send_unread(client, "/", FORM, 10**9)),
        "many parameters": (414, client.get("/accounts/login/?" + "&".join(f"a{n}=1" for n in range(501)))),
        "not allowed": (405, integrator.delete("/")),
    }
    settings.SECURE_SSL_REDIRECT = True
    client = Client()  # the settings are read when its chain of middleware is made
    client.raise_request_exception = False
    refusals["bad host over http"] = (400, client.get("/", headers={"host": "evil.example"}))
    refusals["to https"] = (301, client.get("/"))
    for name, (status, answer) in refusals.items():
        assert answer.status_code == status, name
        check_headers(answer)


@pytest.mark.parametrize(
    "broken", ["samsaas.home.views.render", "samsaas.middleware.SessionLimits.__call__", "samsaas.doors.judge_body"]
)
def test_the_page_of_a_failure_is_hardened(signed_in: Any, monkeypatch: Any, broken: str) -> None:
    reader = signed_in("sam_user")
    reader.raise_request_exception = False

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken for a test")

    monkeypatch.setattr(broken, fail)
    answer = reader.get("/")
    assert answer.status_code == 500
    check_headers(answer)


def test_static_files_are_hardened_and_may_be_stored(client: Client) -> None:
    for name in ("samsaas/app.css", "vendor/bootstrap-5.3.9/bootstrap.min.css", "samsaas/favicon.svg"):
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200
        check_headers(answer, may_be_stored=True)
        not_changed = client.get(f"/static/{name}", headers={"if-modified-since": answer["Last-Modified"]})
        assert not_changed.status_code == 304
        check_headers(not_changed, may_be_stored=True)


def test_signing_out_clears_what_the_browser_has_stored(signed_in: Any, settings: Any) -> None:
    import time_machine  # noqa: PLC0415

    asked = '"cache", "storage"'
    assert signed_in("sam_user").post("/accounts/logout/")["Clear-Site-Data"] == asked
    with time_machine.travel("2026-11-23 08:00:00+00:00", tick=False) as clock:
        idle = signed_in("admin")
        assert "Clear-Site-Data" not in idle.get("/").headers
        clock.shift(settings.SESSION_IDLE.total_seconds() + 1)
        ended = idle.get("/")
        assert ended.status_code == 302 and ended["Clear-Site-Data"] == asked
        assert "Clear-Site-Data" not in idle.get("/accounts/login/").headers
