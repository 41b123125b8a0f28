"""A production installation never loads the stand-in Dropbox, which gives tokens to anybody who asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import compose, deployment, test_settings_in_step

ROOT = compose.ROOT
SANDBOX = "profiles.connectors.dropbox.sandbox"
pytestmark = pytest.mark.own_database

# What web, worker and beat load, and then every module of the product that is not the sandbox itself.
LOAD_EVERYTHING = f"""
import importlib, json, pathlib, sys
import samsaas.wsgi, samsaas.liveness
from django.urls import get_resolver
get_resolver().url_patterns
samsaas.liveness.app.loader.import_default_modules()
from profiles import connectors
connectors.choices()
product = ("samsaas", "profiles", "subscriptions", "reclamation")
for path in (path for package in product for path in pathlib.Path(package).rglob("*.py")):
    module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    if not module.startswith("{SANDBOX}"):
        importlib.import_module(module)
json.dump(sorted(name for name in sys.modules if name.split(".")[0] in product), sys.stdout)
"""
# Where the stand-in would answer: its consent page, its token endpoint, its API.
ASK = """
import json, sys
import samsaas.wsgi
from django.test import Client
client = Client(headers={"host": "samsaas.example.com"})
json.dump({path: client.generic(method, path, secure=True).status_code
           for method, path in json.load(sys.stdin)}, sys.stdout)
"""


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What `make check` calls production, and none of the variables that the tests themselves run with."""
    for name, _ in test_settings_in_step.SHOWN:
        monkeypatch.delenv(name, raising=False)
    return {
        **deployment.production(str(tmp_path)),
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'production.sqlite3'}",
        "SAMSAAS_DEMO_DIR": str(tmp_path / "demo"),
    }


def python(environment: dict[str, str], *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=said, capture_output=True, text=True, timeout=60, check=False
    )


def test_no_process_loads_it(production: dict[str, str]) -> None:
    assert python(production, "manage.py", "collectstatic", "--noinput", "-v0").returncode == 0
    done = python(production, "-c", LOAD_EVERYTHING)
    loaded = json.loads(done.stdout)
    assert {
        "samsaas.urls",
        "profiles.tasks",
        "subscriptions.processes",
        "profiles.connectors.dropbox.connector",
    } <= set(loaded)
    assert [name for name in loaded if name.startswith(SANDBOX)] == []


def test_none_of_its_addresses_is_ours(production: dict[str, str]) -> None:
    asked = [
        ("GET", "/oauth2/authorize"),
        ("POST", "/oauth2/token"),
        ("POST", "/2/team/get_info"),
        ("POST", "/2/team/members/list_v2"),
    ]
    assert python(production, "manage.py", "collectstatic", "--noinput", "-v0").returncode == 0
    done = python(production, "-c", ASK, said=json.dumps(asked))
    assert json.loads(done.stdout) == {path: 404 for _, path in asked}, done.stderr


def test_the_demo_is_refused_and_leaves_nothing_behind(production: dict[str, str]) -> None:
    done = python(production, "manage.py", "demo", "--fresh", "--yes")
    assert done.returncode == 1 and "settings are those of a real installation" in done.stderr
    assert "https://samsaas.example.com" in done.stderr
    assert not Path(production["SAMSAAS_DEMO_DIR"]).exists()


def test_the_demo_cannot_be_slipped_past_its_preparation(production: dict[str, str]) -> None:
    local = {**production, "PUBLIC_URL": "http://localhost:8000", "SAMSAAS_DEMO_STAGE": "serve"}
    done = python(local, "manage.py", "demo")
    assert done.returncode == 1 and "SANDBOX is off" in done.stderr
    assert not Path(production["SAMSAAS_DEMO_DIR"]).exists()


def test_the_sandbox_command_is_refused(production: dict[str, str]) -> None:
    done = python(production, "manage.py", "sandbox")
    assert done.returncode == 1 and "gives tokens to anybody" in done.stderr


def test_a_switch_left_on_fails_the_deployment_check_and_the_doctor(production: dict[str, str]) -> None:
    careless = {**production, "SANDBOX": "true"}
    done = python(careless, "manage.py", "check", "--deploy")
    assert done.returncode == 1 and "samsaas.E003" in done.stderr
    report: dict[str, Any] = json.loads(python(careless, "manage.py", "doctor", "--json").stdout)
    switches = [finding for finding in report["findings"] if finding["check"] == "development switches"]
    assert [(finding["level"], finding["message"]) for finding in switches] == [("FAIL", "SANDBOX is on.")]
