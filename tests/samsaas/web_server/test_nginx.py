"""The nginx configuration of the compose file, run for real in front of the web process, and attacked."""

from __future__ import annotations

import http.client
import re
import resource
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from samsaas import policy
from samsaas.lib.body_limits import BESIDE_THE_FILE, LARGEST_FILE, LARGEST_FORM
from samsaas.web_server.embedded import EmbeddedServer
from tests import servers
from tests.conftest import needs
from tests.samsaas.web_server.conftest import ROOT, Running, running
from tests.samsaas.web_server.slow_clients import KINDS, crowd, is_closed, seconds_to

pytestmark = pytest.mark.own_database
CONFIGURATION = ROOT / "deploy/nginx"
QUICK = 3.0


def start(folder: Path, port: int, web: int, listen: str, **more: Any) -> subprocess.Popen[bytes]:
    """nginx with the shipped files; only ports, folders and the name of the web process are those of this machine."""
    program = servers.nginx()
    files = {path.name: path.read_text() for path in CONFIGURATION.iterdir()}
    main = files["nginx.conf"].replace("/tmp/", f"{folder}/").replace("web:8000", f"127.0.0.1:{web}")
    main = main.replace("127.0.0.1:8081", f"127.0.0.1:{servers.free_port()}").replace("/dev/stdout", f"{folder}/access")
    (folder / "nginx.conf").write_text(main.replace("worker_processes auto", "user root;\nworker_processes 1"))
    text = files[listen].replace("8080", str(port)).replace("/run/secrets", str(folder))
    (folder / "listen.conf").write_text(text)
    command = [program, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-g", "daemon off;"]
    return subprocess.Popen(command, stderr=(folder / "errors").open("wb"), **more)


@pytest.fixture(scope="module")
def web(tmp_path_factory: Any) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("web"), "gunicorn", TRUST_PROXY="true") as started:
        started.get("/healthz")
        yield started


@pytest.fixture(scope="module")
def proxy(web: Running, tmp_path_factory: Any) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("nginx"), servers.free_port()
    process = needs(lambda: start(folder, port, web.port, "listen-http.conf"))
    try:
        servers.wait_for_port(port, process)
        yield Running(port, folder, folder / "access")
    finally:
        process.terminate()
        process.wait(10)


def ask(proxy: Running, data: bytes) -> http.client.HTTPResponse:
    """Send the bytes as they are, and read the answer without waiting for the end of the connection."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as sock:
        sock.sendall(data)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        answer.read()
    return answer


def post(path: str, kind: str, length: int, body: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + body


@pytest.mark.parametrize("kind", KINDS)
def test_a_crowd_of_slow_clients_stops_no_page(proxy: Running, kind: str) -> None:
    with crowd(proxy.port, KINDS[kind], 48):
        time.sleep(0.6)
        waited = [seconds_to(lambda: proxy.get("/accounts/login/")) for _ in range(3)]
    assert max(waited) < QUICK


def test_a_head_that_never_ends_is_given_up_after_ten_seconds(proxy: Running) -> None:
    with crowd(proxy.port, KINDS["drips headers"], 4) as opened:
        began = time.monotonic()
        while not all(map(is_closed, opened)):
            assert time.monotonic() - began < 15
            time.sleep(0.5)


def test_a_large_body_is_refused_by_its_length_and_stored_nowhere(proxy: Running, web: Running) -> None:
    form, file = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
    assert ask(proxy, post("/accounts/login/", form, LARGEST_FORM + 1)).status == 413
    assert ask(proxy, post("/accounts/login/", file, 50_000_000)).status == 413
    assert ask(proxy, post("/people/imports/", file, 50_000_000)).status == 413
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"a" * 1_000_000
    answer = ask(proxy, post("/people/imports/", file, 40_000_000, part))
    assert (answer.status, answer.headers["Location"]) == (302, "/accounts/login/?next=/"), "a stranger's file"
    for folder in (proxy.temp / "body", web.temp):
        assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_the_limits_of_the_proxy_are_those_of_the_application() -> None:
    from django.urls import reverse  # noqa: PLC0415

    text = (CONFIGURATION / "nginx.conf").read_text()
    places = dict(
        re.findall(r"location = (\S+) \{\s+client_max_body_size (\d+)m;\s+proxy_request_buffering off;", text)
    )
    assert places.keys() == {reverse(name) for name in policy.UPLOADS}
    assert all(
        LARGEST_FILE + BESIDE_THE_FILE <= int(most) * 1024**2 <= LARGEST_FILE + 1024**2 for most in places.values()
    )
    assert f"client_max_body_size {LARGEST_FORM // 1024}k;" in text


def test_every_answer_has_each_hardening_header_once(proxy: Running) -> None:
    pages = {
        "a page": b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n",
        "a host that is not ours": b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "too large": post("/accounts/login/", "text/plain", 10**9),
        "no request": b"NONSENSE\r\n\r\n",
    }
    wanted = ("X-Frame-Options", "X-Content-Type-Options", "Content-Security-Policy", "Cache-Control")
    for name, sent in pages.items():
        headers = ask(proxy, sent).headers
        assert {header: len(headers.get_all(header, [])) for header in wanted} == dict.fromkeys(wanted, 1), name
        assert "no-store" in headers["Cache-Control"] and headers["Server"] == "nginx", name
    style = urllib.request.Request(
        f"http://127.0.0.1:{proxy.port}/static/samsaas/app.css", headers={"Host": "localhost:8000"}
    )
    with urllib.request.urlopen(style) as answer:
        assert answer.headers.get_all("Cache-Control") and "no-store" not in answer.headers["Cache-Control"]


def test_a_visitor_cannot_say_who_he_is_where_nginx_speaks_https(web: Running, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed.")
    request = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-keyout", str(tmp_path / "tls_key"), "-out", str(tmp_path / "tls_certificate")]
    subprocess.run([*request, *files], check=True, capture_output=True)
    port = servers.free_port()
    process = needs(lambda: start(tmp_path, port, web.port, "listen-https.conf"))
    try:
        servers.wait_for_port(port, process)
        context = ssl._create_unverified_context()
        asked = urllib.request.Request(
            f"https://127.0.0.1:{port}/healthz", headers={"Host": "localhost:8000", "X-Forwarded-For": "203.0.113.9"}
        )
        with urllib.request.urlopen(asked, context=context) as answer:
            assert answer.status == 200
        assert "203.0.113.9" not in (tmp_path / "access").read_text()
    finally:
        process.terminate()
        process.wait(10)


# --- answers larger than all space ------------------------------------------------------------------------------------

SPACE = 1024**2
EXPORT = 32 * 1024**2


def answer_with_export(environ: Any, start_response: Callable[..., Any]) -> Iterator[bytes]:
    """As an export is answered: in chunks, without a length."""
    start_response("200 OK", [("Content-Type", "text/csv; charset=utf-8")])
    return (b"a" * 65536 for _ in range(EXPORT // 65536))


def limit_space() -> None:
    """No file of this process grows past `SPACE`; as on a full disk, the next write fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (SPACE, SPACE))


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Running]:
    """nginx with little space, in front of the web server with an application that gives an export."""
    behind, port = servers.free_port(), servers.free_port()
    web = EmbeddedServer("127.0.0.1", behind, answer_with_export)
    serving = threading.Thread(target=web.serve_forever)
    serving.start()
    try:
        # With `restore_signals` the kernel would end nginx instead of refusing the write.
        more = {"preexec_fn": limit_space, "restore_signals": False}
        process = needs(lambda: start(tmp_path, port, behind, "listen-http.conf", **more))
        try:
            servers.wait_for_port(port, process)
            yield Running(port, tmp_path, tmp_path / "access")
        finally:
            process.terminate()
            process.wait(10)
    finally:
        web.shutdown()
        web.server_close()
        serving.join(10)


def test_an_export_larger_than_the_space_of_the_proxy_arrives_whole_at_a_slow_reader(narrow: Running) -> None:
    asked = urllib.request.Request(f"http://127.0.0.1:{narrow.port}/", headers={"Host": "localhost:8000"})
    received = 0
    with urllib.request.urlopen(asked, timeout=10) as answer:
        while piece := answer.read(4 * SPACE):
            received += len(piece)
            time.sleep(0.1)
    assert received == EXPORT, (narrow.temp / "errors").read_text()
