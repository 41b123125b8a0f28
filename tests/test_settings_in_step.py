"""The settings, `.env.example` and docker-compose.yml say the same: nothing unknown, nothing forgotten, one default."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import compose

pytestmark = pytest.mark.one_database

ROOT = compose.ROOT
SHOWN = re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
PASSED_ON = list(compose.VARIABLE.finditer((ROOT / "docker-compose.yml").read_text()))
SECRETS = {
    *("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "AUDIT_SIGNING_KEY", "EMAIL_URL", "METRICS_TOKEN", "OIDC_CLIENT_SECRET"),
    "SAML_SIGNING_KEY",
}
# The compose file brings its own servers, proxy and secrets; the image knows where its files are and where it listens.
DECIDED_BY_COMPOSE = {"DATABASE_URL", "CELERY_BROKER_URL", "STATIC_ROOT", "WEB_BIND", "TRUST_PROXY"} | SECRETS
DEVELOPMENT = {"DEBUG", "SANDBOX", "SERVE_UNCOLLECTED_STATIC"}
# Read by the process that a variable is for, not by the settings.
OF_OTHERS = {"HTTPS_PROXY", "WEB_PORT", "WORKER_CONCURRENCY", "REQUIREMENTS"}
DUMP = """
import json, runpy, sys
read = {}
for path in sys.argv[1:]:
    found = runpy.run_path(path)
    read.update({name: repr(value) for name, value in found.items() if not name.startswith("__")
                 and type(value).__module__ in ("builtins", "datetime", "pathlib") and not callable(value)
                 and type(value).__name__ != "module" and name != "BASE_DIR"})
json.dump(read, sys.stdout)
"""


def effective(variables: dict[str, str]) -> str:
    """What settings.py and gunicorn_conf.py make of an environment with nothing but these variables in it."""
    command = [sys.executable, "-c", DUMP, "samsaas/settings.py", "samsaas/gunicorn_conf.py"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SAMSAAS_ENV_FILE": os.devnull, **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    # Relative in the example, absolute in the settings: the same place.
    return done.stdout.replace(f"{ROOT}/", "")


def read_by_the_code() -> set[str]:
    code = (ROOT / "samsaas/settings.py").read_text() + (ROOT / "samsaas/gunicorn_conf.py").read_text()
    return set(re.findall(r"""(?:env\.\w+|\bread_setting)\(\s*"([A-Z_]+)\"""", code))


def test_every_variable_is_in_the_example_once_and_none_is_unknown() -> None:
    names = [name for name, _ in SHOWN]
    assert sorted(names) == sorted(read_by_the_code() | OF_OTHERS)


def test_every_variable_is_explained_in_the_operators_guide() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/deploying.md").read_text(), flags=re.MULTILINE)
    assert sorted(rows) == sorted(name for name, _ in SHOWN)


def test_the_example_shows_the_real_defaults() -> None:
    assert effective({name: value for name, value in SHOWN if value}) == effective({})


def test_the_web_server_reads_the_file_that_the_settings_are_in(tmp_path: Path) -> None:
    """Without it, a line that keeps the port on loopback would be read by nobody, and the port be open to all."""
    (tmp_path / "production.env").write_text("WEB_BIND=127.0.0.1:8123\nWEB_WORKERS=3\nWEB_THREADS=\n")
    read = json.loads(effective({"SAMSAAS_ENV_FILE": str(tmp_path / "production.env")}))
    assert (read["bind"], read["workers"], read["threads"]) == ("'127.0.0.1:8123'", "3", "8")


def test_the_pages_listen_on_loopback_unless_somebody_says_otherwise() -> None:
    """Plain http and, in a folder with DEBUG, an open debugger: neither is for the network by default."""
    assert json.loads(effective({}))["bind"] == "'127.0.0.1:8000'"
    image = re.findall(r"WEB_BIND=(\S+)", (ROOT / "Dockerfile").read_text())
    assert image == [compose.load({})["services"]["web"]["environment"]["WEB_BIND"]] == ["0.0.0.0:8000"]


def test_compose_passes_on_whatever_an_operator_may_set() -> None:
    passed = {match["name"] for match in PASSED_ON}
    assert passed == {name for name, _ in SHOWN} - DECIDED_BY_COMPOSE - DEVELOPMENT


def test_compose_has_no_defaults_of_its_own() -> None:
    example = dict(SHOWN)
    stated = {match["name"]: match["default"] for match in PASSED_ON if match["default"]}
    assert stated == {name: example[name] for name in stated}
    assert not SECRETS & {match["name"] for match in PASSED_ON}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("secrets")
    compose.make_secrets(folder)
    return folder


@pytest.mark.parametrize("service", compose.APPLICATION)
def test_an_untouched_compose_file_means_the_application_as_it_is(service: str, secrets: Path) -> None:
    own = environment_of(service, {}, secrets)
    given = {name: value for name, value in own.items() if name.removesuffix("_FILE") in DECIDED_BY_COMPOSE}
    assert effective(own) == effective(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DROPBOX_AUTHORIZE_URL", "https://stand-in.example.com/oauth2/authorize"),
        ("DROPBOX_TOKEN_URL", "https://stand-in.example.com/oauth2/token"),
        ("DROPBOX_API_URL", "https://stand-in.example.com"),
        ("PUBLIC_URL", "https://samsaas.example.com"),
        ("ALLOWED_HOSTS", "samsaas.example.com,other.example.com"),
        ("TIME_ZONE", "Europe/Paris"),
        ("DAILY_REFRESH_AT", "23:45"),
        ("LOG_LEVEL", "DEBUG"),
    ],
)
def test_what_an_operator_sets_reaches_every_process(name: str, value: str, secrets: Path) -> None:
    for service in compose.APPLICATION:
        assert value.split(",")[0] in effective(environment_of(service, {name: value}, secrets)), service


def test_the_log_level_is_the_one_of_worker_and_beat_too() -> None:
    services = compose.load({"LOG_LEVEL": "WARNING"})["services"]
    for name in ("worker", "beat"):
        command = services[name]["command"]
        assert command[command.index("--loglevel") + 1] == "WARNING", name


def environment_of(service: str, variables: dict[str, str], secrets: Path) -> dict[str, str]:
    return compose.with_secrets_of(compose.load(variables)["services"][service], secrets)
