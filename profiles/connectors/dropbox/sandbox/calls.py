"""A route of the API, a call of it, and how a call is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from profiles.connectors.dropbox.sandbox.arguments import Field
from profiles.connectors.dropbox.sandbox.messages import Answered, as_json
from profiles.connectors.dropbox.sandbox.store import AccessToken, Grant
from profiles.connectors.dropbox.sandbox.team import Member, Team

if TYPE_CHECKING:
    from profiles.connectors.dropbox.sandbox.application import Sandbox


@dataclass(frozen=True, kw_only=True)
class Call:
    """An authorized call: who calls, for which team, with which argument."""

    sandbox: Sandbox
    route: str
    token: AccessToken
    grant: Grant
    team: Team
    argument: dict[str, Any]

    def refuse(self, tag: str) -> Answered:
        """The 409 with this tag."""
        return api_error(self.sandbox, 409, {".tag": tag})

    def find(self, selector: dict[str, Any]) -> Member | None:
        """The member that a UserSelectorArg means."""
        return self.team.find(selector[".tag"], selector[selector[".tag"]])


@dataclass(frozen=True, kw_only=True)
class Route:
    """`fields` None means a void argument; `user` marks the few routes for personal accounts."""

    answer: Callable[[Call], Any]
    scope: str = ""
    fields: Mapping[str, Field] | None = None
    user: bool = False


def api_error(sandbox: Sandbox, status: int, detail: dict[str, Any], **headers: str) -> Answered:
    """The JSON error envelope. `error_summary` ends in a varying number of dots, as Dropbox's does."""
    summary = detail.get(".tag") or detail["reason"][".tag"]
    return Answered(as_json({"error_summary": summary + "/" + sandbox.next_dots(), "error": detail}, status, **headers))
