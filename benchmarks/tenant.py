"""The benchmarks' Dropbox: a large team's answers as files, and a connector that decodes them with the real decoder.

A file is one listing answer of 1,000 members. Every side of a benchmark reads the same bytes. Day two is the
same team with 0.5 % of its members changed, 0.1 % gone and 0.1 % new.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from profiles.connectors import base
from profiles.connectors.dropbox import members
from profiles.connectors.dropbox.sandbox.team import LargeTeam

PAGE = 1000
TEAM_ID = "dbtid:benchmark"
FIRST, SECOND = "first", "second"


def write_pages(folder: Path, size: int) -> None:
    """Both days' answers; a second call finds them there."""
    for day in (FIRST, SECOND):
        done = folder / day / "done"
        if done.exists():
            continue
        done.parent.mkdir(parents=True, exist_ok=True)
        _write_day(done.parent, size, day)
        done.touch()


def _write_day(folder: Path, size: int, day: str) -> None:
    people, page, number = _people(size, day), [], 0
    for member in people:
        page.append(member)
        if len(page) == PAGE:
            _write(folder, number, page, has_more=True)
            page, number = [], number + 1
    _write(folder, number, page, has_more=False)


def _write(folder: Path, number: int, page: list, *, has_more: bool) -> None:
    answer = {"members": page, "cursor": str(number + 1), "has_more": has_more}
    (folder / f"{number:06d}.json").write_text(json.dumps(answer), encoding="utf-8")


def _people(size: int, day: str) -> Iterator[dict]:
    team = LargeTeam(size + size // 1000)
    if day == FIRST:
        yield from (team.make_member(index) for index in range(size))
        return
    for index in range(size + size // 1000):
        member = team.make_member(index)
        if index % 1000 == 500 and index < size:
            continue
        if index % 200 == 7:
            member["profile"]["name"]["surname"] += " Changed"
        yield member


def bodies(folder: Path, day: str, first: int = 0) -> Iterator[bytes]:
    """The answers of a day, one at a time."""
    for path in sorted((folder / day).glob("*.json"))[first:]:
        yield path.read_bytes()


class Tenant:
    """A connector for `runs.Job`: the real decoder, without a network."""

    def __init__(self, folder: Path, day: str) -> None:
        self.folder, self.day = folder, day
        self.counters = base.Counters()

    def team(self) -> base.Team:
        return base.Team(team_id=TEAM_ID, name="Benchmark")

    def seats(self, cursor: str = "") -> Iterator[base.Page]:
        for body in bodies(self.folder, self.day, int(cursor or 0)):
            yield members.page(body)
