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
from cryptography.fernet import Fernet

from samsaas import doors
from samsaas.lib.body_limits import LARGEST_FILE
from tests import compose

pytestmark = pytest.mark.one_database

ROOT = compose.ROOT
SECRETS = {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "AUDIT_SIGNING_KEY"}
NEEDED_SECRETS = {
    "proxy": set(),
    "migrate": {"field_encryption_keys", "database_url"},
    "web": {
        "secret_key",
        "field_encryption_keys",
        "audit_signing_key",
        "database_url",
        "broker_url",
        "email_url",
        "metrics_token",
        "oidc_client_secret",
        "saml_signing_key",
    },
    "worker": {"field_encryption_keys", "audit_signing_key", "database_url", "broker_url", "email_url"},
    "beat": {"database_url", "broker_url"},
    "postgres": {"postgres_password", "database_password"},
    "redis": {"redis_password"},
}
SCRIPTS = (
    ("bash", ".ci/run"),
    ("sh", "deploy/make-secrets.sh"),
    ("sh", "deploy/postgres/create-application-role.sh"),
)
LOCKS = ("requirements.lock", "requirements-saml.lock", "requirements-dev.lock")


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(name)
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), flags=re.MULTILINE))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose.load({})["services"]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_index_and_hashes_everything(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(pins(lock)) > 0


def test_each_lock_holds_the_one_before_it_in_the_same_versions() -> None:
    runtime, with_saml, development = (pins(lock) for lock in LOCKS)
    assert runtime.items() < with_saml.items() < development.items()


def test_direct_dependencies_are_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    assert {re.split(r"[\[><=]", line)[0] for line in wanted} <= pins("requirements.lock").keys()
    only_saml = {re.split(r"[\[><=]", line)[0] for line in project["optional-dependencies"]["saml"]}
    assert only_saml <= pins("requirements-saml.lock").keys() and not only_saml & pins("requirements.lock").keys()


def test_installed_packages_fit_together() -> None:
    result = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_compose_file_follows_the_specification() -> None:
    result = tool(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml", "deploy/https.yml"
    )
    assert result.returncode == 0, result.stdout


def test_dockerfile_follows_its_rules() -> None:
    result = tool("hadolint", "Dockerfile")
    assert result.returncode == 0, result.stdout


def test_each_service_gets_the_secrets_it_needs_as_files_and_no_others(services: dict[str, Any]) -> None:
    assert {name: set(service.get("secrets", [])) for name, service in services.items()} == NEEDED_SECRETS
    for name, service in services.items():
        named = [
            str(value) for value in service.get("environment", {}).values() if compose.SECRETS_INSIDE in str(value)
        ]
        assert {value.removeprefix(compose.SECRETS_INSIDE) for value in named} <= NEEDED_SECRETS[name], name
        for variable, value in service.get("environment", {}).items():
            is_secret = re.search("SECRET|PASSWORD|_KEYS?$|_KEY_|DATABASE_URL|BROKER_URL|EMAIL_URL", variable)
            is_secret = is_secret and variable != "AUDIT_PUBLIC_KEYS"
            assert not is_secret or (variable.endswith("_FILE") and value.startswith(compose.SECRETS_INSIDE)), variable


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    compose.make_secrets(tmp_path / "secrets")
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    declared = compose.load({})["secrets"]
    assert set(made) == set(declared) == set().union(*NEEDED_SECRETS.values())
    assert [rule["file"] for rule in declared.values()] == [f"./secrets/{name}" for name in declared]
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o444}
    assert (
        made["database_password"].strip() in made["database_url"] and "@postgres:5432/samsaas" in made["database_url"]
    )
    assert made["redis_password"].strip() in made["broker_url"]
    Fernet(made["field_encryption_keys"].strip())
    compose.make_secrets(tmp_path / "secrets")
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    compose.make_secrets(tmp_path / "others")
    for own in ("email_url", "oidc_client_secret", "saml_signing_key"):
        assert made.pop(own) == "", "it is the operator's to fill in"
    assert all((tmp_path / "others" / name).read_text() != text for name, text in made.items())
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_every_service_is_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] and service["init"], name
        assert service["cap_drop"] == ["ALL"] and "cap_add" not in service, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged") and service.get("user") != "root", name
        assert service["logging"]["options"].keys() >= {"max-size", "max-file"}, name
        assert service["mem_limit"] and service["pids_limit"], name
        assert all(re.search(r":size=\d+m", mount) for mount in service.get("tmpfs", [])), name


def test_a_file_on_its_way_fits_into_the_memory_disk(services: dict[str, Any]) -> None:
    """Each of the web processes receives so many files at once, and Django writes them to /tmp."""
    megabytes = int(re.search(r"/tmp:size=(\d+)m", services["web"]["tmpfs"][0])[1])  # type: ignore[index]
    assert megabytes * 1024**2 > 2 * doors.UPLOADS_AT_ONCE * LARGEST_FILE
    assert services["web"]["mem_limit"] == "1g" and megabytes <= 512


def test_data_services_and_web_cannot_be_reached_from_outside(services: dict[str, Any]) -> None:
    networks = compose.load({})["networks"]
    internal = {name for name, rule in networks.items() if rule.get("internal")}
    assert {name for name, service in services.items() if not set(service["networks"]) <= internal} == {
        "proxy",
        "web",
        "worker",
    }, "proxy for visitors; web and worker to reach the vendor"
    assert not set(services["proxy"]["networks"]) & set(services["postgres"]["networks"])
    assert services["proxy"]["networks"] == ["front", "inside"] and "front" not in services["web"]["networks"]


def test_the_application_is_not_the_superuser_of_the_database(services: dict[str, Any]) -> None:
    postgres = services["postgres"]
    assert postgres["environment"]["POSTGRES_USER"] == "postgres"
    script = next(mount for mount in postgres["volumes"] if "docker-entrypoint-initdb.d" in mount).split(":")[0]
    text = (ROOT / script).read_text()
    assert (ROOT / script).stat().st_mode & 0o111 and "create role samsaas login nosuperuser" in text


def test_images_are_pinned_to_a_minor_version(services: dict[str, Any]) -> None:
    images = {service["image"] for service in services.values()} - {"samsaas"}
    images |= set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    assert len(images) == 4
    assert all(re.search(r":\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$", image) for image in images), images


def test_the_proxy_with_https_takes_its_certificate_from_files() -> None:
    own = compose.load({}, "deploy/https.yml")
    assert own["services"]["proxy"]["secrets"] == ["tls_certificate", "tls_key"] == list(own["secrets"])
    mounted = own["services"]["proxy"]["volumes"][0].split(":")
    replaced = [
        mount for mount in compose.load({})["services"]["proxy"]["volumes"] if mount.split(":")[1] == mounted[1]
    ]
    assert (ROOT / mounted[0]).exists() and len(replaced) == 1


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
    files = {name for name in used if name.startswith("./")}
    assert used - files == set(compose.load({})["volumes"])
    assert all((ROOT / name).is_file() for name in files)


def test_ports_are_published_on_loopback_only(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"proxy": ["127.0.0.1:8000:8080"]}


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
    assert copied == packages | {"templates", "docs"}
    assert let_in == copied | {"manage.py", "requirements.lock", "requirements-saml.lock"}


def test_example_holds_no_secret() -> None:
    text = (ROOT / ".env.example").read_text()
    assert all(f"\n{name}=\n" in text for name in SECRETS)


def test_shell_scripts_are_well_formed() -> None:
    for shell, script in SCRIPTS:
        result = subprocess.run([shell, "-n", script], cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
