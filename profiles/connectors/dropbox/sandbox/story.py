"""The team that the demo is connected to from the beginning: a bookseller with add-ons, some of which came later."""

from __future__ import annotations

import datetime as dt
from typing import Any

from profiles.connectors.dropbox.sandbox.team import Member, Team, status_of, team_info

# The kind of membership by the last digit of a place. Dropbox documents `full` and `limited` and leaves the union open,
# so the others stand for what a vendor adds one day.
KINDS = ("full", "full", "full", "sign", "full", "docsend", "full", "full", "sign", "replay")
CAME_LATER = dt.timedelta(days=-21)
LATE = range(70, 110)  # of these places, those of `sign` came later


class StoryTeam(Team):
    """Alder & Finch Books. Until `let_in`, those who came later are not in it; after a restart everybody is."""

    def __init__(self) -> None:
        super().__init__("Alder & Finch Books", "alderfinch.example", 110, 126, seed=20, removed=0)
        self._waiting: list[Member] = []

    def make_member(self, index: int, taken: set[str] | None = None) -> Member:
        """As in every team, with one of several kinds of membership."""
        member = super().make_member(index, taken)
        profile = member["profile"]
        if profile["membership_type"][".tag"] == "full" and index < self.people:
            profile["membership_type"] = {".tag": KINDS[index % len(KINDS)]}
        if self._is_late(member, index) and "joined_on" in profile:
            day = self.past_moment(CAME_LATER).date()
            profile["joined_on"] = f"{day.isoformat()}T08:{index % 60:02d}:00Z"
        return member

    def hold_back(self) -> None:
        """Those who came later are not there yet."""
        self._waiting = [one for place, one in enumerate(self.members) if self._is_late(one, place)]
        for one in self._waiting:
            self.members.remove(one)

    def let_in(self) -> None:
        """Those who came later are there."""
        self.members.extend(self._waiting)
        self._waiting = []

    def info(self) -> dict[str, Any]:
        """Every kind but `limited` uses a license."""
        current = [one for one in self.members if status_of(one) != "removed"]
        used = sum(one["profile"]["membership_type"][".tag"] != "limited" for one in current)
        return team_info(self, len(current), used)

    def _is_late(self, member: Member, place: int) -> bool:
        return place in LATE and member["profile"]["membership_type"][".tag"] == "sign"
