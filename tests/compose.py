"""The compose file as the tests see it: read, with its variables filled in as docker compose does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}")
APPLICATION = ("migrate", "web", "worker", "beat")
SECRETS_INSIDE = "/run/secrets/"


class Unset(Exception):
    """A required variable has no value."""


def load(variables: dict[str, str], file: str = "docker-compose.yml") -> dict[str, Any]:
    """The file with `${NAME:-default}` and `${NAME:?message}` resolved. Raises `Unset`, naming the variable."""

    def value(match: re.Match[str]) -> str:
        given = variables.get(match["name"]) or match["default"]
        if given is None:
            raise Unset(match["name"])
        return given

    def filled(node: Any) -> Any:
        """Strings only, and after reading the file: what a variable brings in stays a string."""
        if isinstance(node, dict):
            return {key: filled(below) for key, below in node.items()}
        if isinstance(node, list):
            return [filled(below) for below in node]
        return VARIABLE.sub(value, node).replace("$$", "$") if isinstance(node, str) else node

    loaded: dict[str, Any] = filled(yaml.safe_load((ROOT / file).read_text()))
    return loaded


def make_secrets(folder: Path) -> None:
    """What an operator does before the first start."""
    script = ROOT / "deploy/make-secrets.sh"
    subprocess.run([script, folder], check=True, stdout=subprocess.DEVNULL)


def with_secrets_of(service: dict[str, Any], folder: Path) -> dict[str, str]:
    """The environment of a service whose secrets are in that folder. A secret it was not given stays unreadable."""
    given = {f"{SECRETS_INSIDE}{name}": str(folder / name) for name in service.get("secrets", [])}
    return {name: given.get(value, value) for name, value in service["environment"].items()}
