"""Bodies over real sockets: strangers fill no disk, people upload, and no slow or broken upload stays behind."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from samsaas import doors
from samsaas.web_server import connection, worker
from tests import migrated
from tests.samsaas.web_server.conftest import ROOT, Running, environment, running
from tests.samsaas.web_server.slow_clients import FORM, HEAD, KINDS, STATIC, connect, crowd, is_closed, seconds_to

pytestmark = pytest.mark.own_database
PART = b'--x\r\nContent-Disposition: form-data; name="file%d"; filename="a"\r\n\r\n' + b"a" * 20_000 + b"\r\n"
PARTS = b"".join(PART % number for number in range(400)) + b"--x--\r\n"
UPLOAD = "/people/imports/"
ACCOUNT = """
from django.contrib.auth.models import Group, User
User.objects.create_user("ann", password="a long password").groups.add(Group.objects.get(name="sam_admin"))
"""


def send(port: int, path: str, body: bytes, **headers: str) -> http.client.HTTPResponse:
    """POST, and read the answer even if the server stops taking the body."""
    kind = {"Host": "localhost:8000", "Content_Type": "multipart/form-data; boundary=x"}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in (kind | headers).items())
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        head = f"POST {path} HTTP/1.1\r\n{lines}"
        if "Transfer_Encoding" not in headers:
            head += f"Content-Length: {len(body)}\r\n"
        with contextlib.suppress(OSError):
            sock.sendall(f"{head}\r\n".encode() + body)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        answer.read()
    return answer


def left_behind(server: Running) -> list[str]:
    return [path.name for path in server.temp.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", UPLOAD, "/no-such-page", "/core/", "/static/samsaas/app.css"]
)
def test_a_stranger_fills_no_disk(server: Running, path: str) -> None:
    statuses = set()
    for _ in range(3):
        statuses.add(send(server.port, path, PARTS).status)
        assert left_behind(server) == []
    assert statuses <= {302, 405, 415}, "a page, while the client is still sending"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (411, {"Transfer_Encoding": "chunked"}, b"5\r\na=bcd\r\n0\r\n\r\n"),
        (413, {"Content_Type": "application/x-www-form-urlencoded"}, b"a=" + b"b" * 200_000),
        (415, {"Content_Type": "application/json"}, b"{}"),
        (415, {"Content_Type": "multipart/form-data; boundary=x"}, b"--x--\r\n"),
        (403, {"Content_Type": "application/x-www-form-urlencoded"}, b"a=b"),
    ],
)
def test_refusals_are_hardened_pages(server: Running, status: int, headers: dict[str, str], body: bytes) -> None:
    answer = send(server.port, "/accounts/login/", body, **headers)
    assert answer.status == status and answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        (400, FORM + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\na=b&c"),
        (400, FORM + b"Content-Length: 5x\r\n\r\na=b&c"),
        (431, HEAD + b"X-A: " + b"a" * 60_000),
        (431, HEAD + b"X-A: 1\r\n" * 100 + b"\r\n"),
        (414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n"),
    ],
)
def test_answers_of_the_server_itself_are_hardened(server: Running, status: int, sent: bytes) -> None:
    with contextlib.closing(connect(server.port)) as sock:
        sock.sendall(sent)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.status == status and "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Security-Policy"] and answer.headers["X-Frame-Options"] == "DENY"


def test_one_connection_serves_many_requests_also_when_they_come_together(server: Running) -> None:
    one, last = HEAD + b"\r\n", HEAD + b"Connection: close\r\n\r\n"
    with contextlib.closing(connect(server.port)) as sock:
        sock.sendall(one * 3 + one[:20])
        time.sleep(0.3)
        sock.sendall(one[20:] + last)
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == 5


def test_a_large_answer_arrives_whole_at_a_client_that_reads_slowly(server: Running) -> None:
    whole = server.get(STATIC)
    with contextlib.closing(connect(server.port)) as sock:
        sock.sendall(f"GET {STATIC} HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n".encode())
        time.sleep(0.5)
        received = b"".join(iter(lambda: sock.recv(20_000), b""))
    assert len(received.partition(b"\r\n\r\n")[2]) == int(whole.headers["Content-Length"])


@pytest.mark.parametrize(
    "kind", ["asks to close and stays", "does not read ten answers", "sends half a form", "drips chunks"]
)
def test_clients_that_vanish_leave_the_processes_alive(server: Running, kind: str) -> None:
    at_once = struct.pack("ii", 1, 0)  # a reset instead of an end
    for wait in (0, 0, 0.02, 0.1):
        opened = [connect(server.port) for _ in range(40)]
        for sock in opened:
            sock.sendall(KINDS[kind].first)
        time.sleep(wait)
        for sock in opened:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            sock.close()
    for _ in range(6):
        server.get("/accounts/login/")
    log = server.log.read_text()
    assert log.count("Booting worker") in (0, 2) and "Traceback" not in log, log[-3000:]


def test_a_crowd_larger_than_all_places_keeps_nobody_out(server: Running) -> None:
    with crowd(server.port, KINDS["drips headers"], 2 * worker.MOST_WAITING + 150):
        time.sleep(0.6)
        waited = [seconds_to(lambda: server.get("/accounts/login/")) for _ in range(4)]
    assert max(waited) < 5


def test_half_a_request_is_told_so_and_ended_in_time(server: Running) -> None:
    began = time.monotonic()
    with crowd(server.port, KINDS["drips headers"], 1) as (sock,):
        sock.settimeout(worker.REQUEST_SECONDS + 10)
        assert b"408 Request Timeout" in sock.recv(1000)
        assert worker.REQUEST_SECONDS - 1 < time.monotonic() - began < worker.REQUEST_SECONDS + 5
        time.sleep(worker.CLOSING_SECONDS + 1.5)
        assert is_closed(sock)


# --- somebody who may upload ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(tmp_path_factory: Any) -> Iterator[Running]:
    """A server with a database and an account that may import people."""
    folder = tmp_path_factory.mktemp("own")
    keys = {name: value for name, value in environment(folder, 0).items() if "KEY" in name}
    migrated.put_sqlite(environment(folder, 0)["DATABASE_URL"])
    arguments = [sys.executable, "manage.py", "shell", "-v0", "-c", ACCOUNT]
    subprocess.run(arguments, cwd=ROOT, env=environment(folder, 0) | keys, check=True, stdout=subprocess.DEVNULL)
    with running(folder, "gunicorn", **keys) as started:
        started.get("/healthz", timeout=30)
        yield started


def sign_in(port: int) -> dict[str, str]:
    """The headers of a signed-in session, with the token of its forms."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    asked.request("GET", "/accounts/login/", headers={"Host": "localhost:8000"})
    answer = asked.getresponse()
    cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())[1]  # type: ignore[index]
    sent = f"username=ann&password=a+long+password&csrfmiddlewaretoken={token}".encode()
    form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    found = send(port, "/accounts/login/", sent, **form)
    assert found.status == 302
    cookies = {
        name: value for name, value in re.findall(r"(\w+)=(\w+);", " ".join(found.headers.get_all("Set-Cookie")))
    }
    return {
        "Cookie": f"sessionid={cookies['sessionid']}; csrftoken={cookies['csrftoken']}",
        "X_CSRFToken": cookies["csrftoken"],
    }


def file_of(size: int) -> bytes:
    line = b"123456,Ann Example,ann@example.com,Sales,,,,\r\n"
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\nEmployee number,Name\r\n'
    return head + line * (size // len(line)) + b"\r\n--x--\r\n"


def test_a_signed_in_person_uploads_a_large_file(own: Running) -> None:
    answer = send(own.port, UPLOAD, file_of(20_000_000), **sign_in(own.port))
    assert answer.status == 302 and re.fullmatch(UPLOAD + r"\d+/", answer.headers["Location"])
    assert left_behind(own) == []


def test_an_upload_that_breaks_off_leaves_nothing(own: Running) -> None:
    session = sign_in(own.port)
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in session.items())
    for _ in range(3):
        with contextlib.closing(connect(own.port)) as sock:
            head = (
                f"POST {UPLOAD} HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            )
            sock.sendall(f"{head}Content-Length: 30000000\r\n{lines}\r\n".encode() + file_of(5_000_000)[:-20])
            time.sleep(0.3)
    deadline = time.monotonic() + 10
    while left_behind(own) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_behind(own) == []


def test_slow_uploads_of_a_signed_in_person_stop_no_page_and_end(own: Running) -> None:
    session = sign_in(own.port)
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in session.items()).encode()
    first, rest = KINDS["drips a file as a stranger"]
    slow = KINDS["drips a file as a stranger"]._replace(first=first.replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n", 1))
    began = time.monotonic()
    with crowd(own.port, slow, 32) as opened:
        time.sleep(0.6)
        assert max(seconds_to(lambda: own.get("/accounts/login/")) for _ in range(6)) < 3
        while not all(map(is_closed, opened)):
            assert time.monotonic() - began < connection.GRACE + 15
            time.sleep(0.5)
    assert rest and left_behind(own) == []
    assert doors.UPLOADS_AT_ONCE < 8, "of eight threads"
