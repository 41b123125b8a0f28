"""The compose file as the tests see it: read, with its variables filled in as docker compose does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}")
APPLICATION = ("migrate", "web", "worker", "beat")


class Unset(Exception):
    """A required variable has no value."""


def load(variables: dict[str, str]) -> dict[str, Any]:
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
        return VARIABLE.sub(value, node) if isinstance(node, str) else node

    loaded: dict[str, Any] = filled(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))
    return loaded
