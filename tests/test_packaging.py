"""What is shipped: locks without addresses, and containers that keep to the rules no engine is needed to check."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests import compose

ROOT = compose.ROOT
SECRETS = {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
FILLED = dict.fromkeys(SECRETS, "filled-in")
LOCKS = ("requirements.lock", "requirements-dev.lock")


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(name)
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), flags=re.MULTILINE))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose.load(FILLED)["services"]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_index_and_hashes_everything(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(pins(lock)) > 0


def test_development_lock_holds_the_runtime_lock_in_the_same_versions() -> None:
    runtime, development = (pins(lock) for lock in LOCKS)
    assert runtime.items() <= development.items()


def test_direct_dependencies_are_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    assert {re.split(r"[\[><=]", line)[0] for line in wanted} <= pins("requirements.lock").keys()


def test_installed_packages_fit_together() -> None:
    result = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_compose_file_follows_the_specification() -> None:
    result = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    assert result.returncode == 0, result.stdout


def test_dockerfile_follows_its_rules() -> None:
    result = tool("hadolint", "Dockerfile")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_compose_refuses_to_start_without_a_secret(name: str) -> None:
    with pytest.raises(compose.Unset, match=name):
        compose.load({**FILLED, name: ""})


def test_every_service_is_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] and service["init"], name
        assert service["cap_drop"] == ["ALL"] and "cap_add" not in service, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged") and service.get("user") != "root", name
        assert service["logging"]["options"].keys() >= {"max-size", "max-file"}, name


def test_long_running_services_have_a_health_check_and_come_back(services: dict[str, Any]) -> None:
    for name in services.keys() - {"migrate"}:
        assert services[name]["healthcheck"]["test"], name
        assert services[name]["restart"] == "unless-stopped", name
    assert services["migrate"]["restart"] == "no"


def test_services_wait_for_what_they_need(services: dict[str, Any]) -> None:
    for name in ("web", "worker", "beat"):
        waits = {needed: rule["condition"] for needed, rule in services[name]["depends_on"].items()}
        assert waits["migrate"] == "service_completed_successfully"
        assert waits["postgres"] == waits["redis"] == "service_healthy"


def test_every_volume_is_declared(services: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert used == set(compose.load(FILLED)["volumes"])


def test_ports_are_published_on_loopback_only(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_application_commands_exist(services: dict[str, Any]) -> None:
    for name in compose.APPLICATION:
        program = services[name]["command"][0]
        assert Path(sys.executable).with_name(program).exists() or shutil.which(program), name


def test_one_beat(services: dict[str, Any]) -> None:
    beats = [name for name, service in services.items() if "beat" in service.get("command", [])]
    assert beats == ["beat"] and services["beat"]["deploy"]["replicas"] == 1


def test_stop_leaves_time_for_the_soft_shutdown(services: dict[str, Any], settings: Any) -> None:
    assert services["worker"]["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    grace = int(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace >= settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT + 10


def test_image_runs_as_a_numeric_user_from_hashed_packages() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (.+)$", text, flags=re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes" in text and "HEALTHCHECK" in text
    assert not re.search(r"^(ARG|ENV) .*(SECRET|KEY|PASSWORD)", text, flags=re.MULTILINE)


def test_image_holds_every_package_and_nothing_local() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    packages = set(project["importlinter"]["root_packages"])
    copied = set(re.findall(r"^COPY (\w+) \w+$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert copied == packages | {"templates"}
    assert let_in == copied | {"manage.py", "requirements.lock"}


def test_example_holds_no_secret() -> None:
    text = (ROOT / ".env.example").read_text()
    assert all(f"\n{name}=\n" in text for name in SECRETS)


def test_shell_scripts_are_well_formed() -> None:
    result = subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
