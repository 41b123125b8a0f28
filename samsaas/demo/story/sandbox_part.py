"""The sandbox's part in the story, as the command hands it over: this package knows no vendor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SandboxPart:
    """The team of the story, what its administrators do, and how a token is given. `teams` are all teams there are."""

    team: Any
    console: Any
    give_tokens: Callable[[], tuple[str, str]]
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    teams: tuple[Any, ...]
