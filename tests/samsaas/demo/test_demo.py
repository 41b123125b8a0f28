"""`make demo`: what it makes, prints and keeps, how it stops, and what it refuses."""

from __future__ import annotations

import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests import migrated, servers
from tests.browser import installations

ROOT = installations.ROOT
pytestmark = pytest.mark.own_database


class Demo:
    """One folder to start demos in. Every start writes to its own console file."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Without the story, which takes a few seconds, unless it is asked for."""
        self.folder, self.home, self.starts = folder, folder / "demo", 0
        self.options = options or ("--empty",)
        self.port, self.sandbox_port = servers.free_port(), servers.free_port()

    def command(self, *more: str) -> list[str]:
        ports = ["--port", str(self.port), "--sandbox-port", str(self.sandbox_port)]
        return [sys.executable, "manage.py", "demo", *self.options, *ports, *more]

    def environment(self) -> dict[str, str]:
        return installations.clean_environment(SAMSAAS_DEMO_DIR=str(self.home), PYTHONUNBUFFERED="1")

    @contextmanager
    def running(self) -> Iterator[Start]:
        self.starts += 1
        console = self.folder / f"console-{self.starts}.log"
        with console.open("wb") as output:
            process = subprocess.Popen(
                self.command(), cwd=ROOT, env=self.environment(), stdout=output, stderr=output, start_new_session=True
            )
        start = Start(process, console)
        try:
            start.wait_for_the_welcome()
            yield start
        finally:
            process.kill()
            process.wait()

    def put_tables(self) -> None:
        """Shorten the first start, which would make them."""
        migrated.put_sqlite(f"sqlite:///{self.home}/samsaas.sqlite3")

    def error_of_refusal(self, *more: str) -> str:
        """The error text of a start that ends by itself."""
        done = subprocess.run(
            self.command(*more), cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def keys(self) -> list[str]:
        lines = (self.home / "samsaas.env").read_text().splitlines()
        return [line for line in lines if line.startswith(("SECRET_KEY=", "FIELD_ENCRYPTION_KEYS="))]


class Start:
    """One running demo and what it has written to the person's console."""

    def __init__(self, process: subprocess.Popen[bytes], console: Path) -> None:
        self.process, self.console = process, console

    def wait_for_the_welcome(self) -> None:
        until = time.monotonic() + installations.PATIENCE
        while "Press Ctrl-C" not in self.console_text():
            assert self.process.poll() is None and time.monotonic() < until, self.console_text()
            time.sleep(0.1)

    def console_text(self) -> str:
        return self.console.read_text()

    def address(self, label: str) -> str:
        return re.findall(rf"{label}\s+(http://\S+)", self.console_text())[0]

    def passwords(self) -> dict[str, str]:
        """Account -> password, as printed."""
        return dict(re.findall(r"^ +(admin|sam_\w+) +(\S+)$", self.console_text(), re.MULTILINE))

    def interrupt(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


def opens(address: str, password: str, account: str = "admin", page: str = "") -> bool:
    """Whether this account with this password can open the page."""
    with requests.Session() as session:
        form = session.get(f"{address}accounts/login/", timeout=20).text
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[0]
        entered = {"csrfmiddlewaretoken": token, "username": account, "password": password}
        session.post(f"{address}accounts/login/", entered, headers={"Referer": address}, timeout=20)
        return session.get(address + page, timeout=20, allow_redirects=False).status_code == 200


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def first(demo: Demo) -> Iterator[Start]:
    with demo.running() as start:
        yield start


def test_the_printed_addresses_answer(first: Start) -> None:
    application, sandbox = (requests.get(first.address(label), timeout=20) for label in ("Application", "Sandbox"))
    assert application.status_code == 200 and "Sign in" in application.text
    assert sandbox.status_code == 200 and "Dropbox" in sandbox.text


def test_the_printed_passwords_open_it_and_are_kept_nowhere(demo: Demo, first: Start) -> None:
    address, passwords = first.address("Application"), first.passwords()
    assert not opens(address, passwords["admin"][::-1])
    for account, password in passwords.items():
        assert opens(address, password, account)
        assert opens(address, password, account, page="core/")
        kept = [path for path in demo.home.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
        assert kept == []


def test_there_is_an_account_for_every_role_which_may_do_what_its_role_may(demo: Demo, first: Start) -> None:
    address, passwords = first.address("Application"), first.passwords()
    assert set(passwords) == {"admin", "sam_integrator", "sam_admin", "sam_user"} and len(set(passwords.values())) == 4
    for page, allowed in (
        ("audit/", {"admin", "sam_admin"}),
        ("integration-profiles/new/", {"admin", "sam_integrator"}),
    ):
        assert {who for who, password in passwords.items() if opens(address, password, who, page)} == allowed


def test_keys_and_data_are_readable_by_their_owner_only(demo: Demo, first: Start) -> None:
    assert len(demo.keys()) == 2
    files = [demo.home, *(path for path in demo.home.rglob("*"))]
    assert [path.name for path in files if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)] == []


def test_it_serves_this_machine_only(demo: Demo, first: Start) -> None:
    for port in (demo.port, demo.sandbox_port):
        with socket.socket() as probe:
            # Another address of this machine: a server that listens everywhere would answer here too.
            assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_a_second_one_from_the_same_folder_is_refused(demo: Demo, first: Start) -> None:
    assert f"A demo is already running from {demo.home}. Stop it first." in demo.error_of_refusal()
    assert first.process.poll() is None


@pytest.mark.parametrize(("taken", "option"), [("port", "--port"), ("sandbox_port", "--sandbox-port")])
def test_a_port_that_is_taken_is_answered_with_the_command_that_works(tmp_path: Path, taken: str, option: str) -> None:
    other = Demo(tmp_path)
    with socket.create_server(("127.0.0.1", getattr(other, taken))):
        said = other.error_of_refusal()
        assert f"Port {getattr(other, taken)} of the" in said and " is in use." in said
        arguments = re.findall(r'make demo ARGS="([^"]+)"', said)[0].split()
        assert f"manage.py demo {' '.join(arguments)}" in said
        offered = dict(zip(arguments[::2], map(int, arguments[1::2]), strict=True))
        assert offered.keys() == {"--port", "--sandbox-port"} and offered[option] != getattr(other, taken)
        if option == "--sandbox-port":  # one of the two is enough: a start takes a while
            other.port, other.sandbox_port = offered["--port"], offered["--sandbox-port"]
            other.put_tables()
            with other.running():
                pass


@pytest.mark.parametrize("number", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(demo: Demo, number: str) -> None:
    done = subprocess.run(
        demo.command("--port", number), cwd=ROOT, env=demo.environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0 and "--port" in done.stderr and number in done.stderr


def test_a_fresh_start_is_never_made_by_accident(demo: Demo, tmp_path: Path) -> None:
    other = Demo(tmp_path)
    other.home.mkdir()
    (other.home / "samsaas.env").write_text("SECRET_KEY=kept\n")
    done = subprocess.run(
        other.command("--fresh"),
        cwd=ROOT,
        env=other.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1 and "Add --yes" in done.stderr
    assert other.keys() == ["SECRET_KEY=kept"]


def test_it_begins_with_a_story_that_is_recorded_once_and_never_by_half(tmp_path: Path) -> None:
    other = Demo(tmp_path, "--yes")
    other.home.mkdir()
    for left in ("samsaas.sqlite3", "sandbox.json", "half-a-story"):  # as an interrupted start leaves them
        (other.home / left).write_text("{")
    with other.running() as start:
        assert "Recording two months" in start.console_text() and "Look around" in start.console_text()
        address, password = start.address("Application"), start.passwords()["sam_user"]
        assert opens(address, password, "sam_user", "license-usage/")
        assert start.interrupt() == 0
    with other.running() as again:
        assert "Recording" not in again.console_text()
        assert "It continues with 1 profile, 103 subscriptions" in again.console_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_goes_on_where_it_was(tmp_path: Path, number: int) -> None:
    other = Demo(tmp_path)
    other.put_tables()
    with socket.create_server(("127.0.0.1", other.port)):
        other.error_of_refusal()  # a start that fails before it prints the password must not use it up
    with other.running() as start:
        password = start.passwords()["admin"]
        keys = other.keys()
        assert start.interrupt(number) == 0
        assert start.console_text().rstrip().endswith("Stopped. Run it again to continue.")
        assert "Traceback" not in start.console_text() + (other.home / "demo.log").read_text()
    with other.running() as again:
        assert again.passwords() == {} and "Sign in as before." in again.console_text()
        assert "It continues with 0 profiles, 0 subscriptions." in again.console_text()
        assert other.keys() == keys
        assert opens(again.address("Application"), password)
