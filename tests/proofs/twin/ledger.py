"""What the product has to know, computed in plain Python from what was served to it and from the documents' rules.

The rules (`subscriptions/activity/store.py`, docs/activity.md): an event belongs to the seat that its member id names,
else its account id, else its address as a main one, else as a secondary one. A listed seat of the profile's team comes
before one that ended; what leads to two belongs to nobody. Events of the same second, kind and actor count once within
a reading by one worker, and those of the last page by the next one. The latest activity never moves back, and a day
keeps the most that one reading counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.proofs.twin.truth import Event, Member, Team
from tests.proofs.twin.vendor import Listing

PAGES_REMEMBERED = 10  # for which a worker compares with the last page of the worker before
NO_USE = ("login_fail", "file_request_receive_file")
Page = list[tuple[Event, Any]]


@dataclass
class Seat:
    """A seat as it was last listed. `epoch` is the connection under which that was."""

    member: Member
    account_id: str
    email: str
    others: frozenset[str]
    epoch: int
    ended: bool = False
    last: datetime | None = None
    days: dict[date, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def shown_days(self) -> dict[date, int]:
        """The most that one reading counted, by day."""
        return {day: most for day, counts in self.days.items() if (most := max(counts.values(), default=0))}


@dataclass
class Reading:
    """One pass over the log: the run that began it, the vendor's moment of its first page, and its uses by day."""

    key: int
    team: Team
    moment: datetime
    by_day: Counter[date] = field(default_factory=Counter)


class Ledger:
    """The witness of the vendor. The story tells it which run is at work, and how it ended."""

    def __init__(self, now: Callable[[], datetime], *, every_page: bool) -> None:
        self.now, self.every_page = now, every_page
        self.seats: dict[str, Seat] = {}
        self.epoch = 0
        self.run, self.process = 0, ""
        self.listing: dict[str, tuple[Member, str]] = {}
        self.details: dict[str, tuple[str, str, frozenset[str]]] = {}
        self.members_at_listing: list[Member] = []
        self.ended_before: set[str] = set()
        self.reading: Reading | None = None
        self.pending: Page = []
        self.log_ended = False
        self.marks: set[Any] = set()
        self.earlier: set[Any] = set()
        self.page_marks: set[Any] = set()
        self.stored_marks: set[Any] = set()
        self.pages = 0
        self.credited: dict[Event, set[str]] = defaultdict(set)
        self.elsewhere: dict[Event, bool] = {}

    # What the story tells.

    def begin(self, run: int, process: str) -> None:
        """A worker takes a run. Of the events that an earlier worker read, it knows those of the last page."""
        self.run, self.process = run, process
        self.earlier, self.pages = set(self.stored_marks), 0
        self.pending, self.marks, self.log_ended = [], set(), False

    def end(self, *, throttled: bool, killed: bool, storing: bool) -> None:
        """The worker's turn is over: was it asked to come later, was it killed, and in the middle of storing?"""
        stored = self.every_page or self.log_ended or throttled
        if not storing and stored and not (killed and not self.every_page and not self.log_ended):
            self._store()
        self.pending = []

    def publish(self, *, ends: bool) -> None:
        """A download was published. `ends`: seats that were not listed end."""
        self.ended_before = {member_id for member_id, seat in self.seats.items() if seat.ended}
        for member_id, (member, what) in self.listing.items():
            if what == "all":
                self._list_seat(member_id, member)
        if ends:
            for member_id, seat in self.seats.items():
                if member_id not in self.listing:
                    seat.ended = True

    def _list_seat(self, member_id: str, member: Member) -> None:
        account, email, others = self.details[member_id]
        known = self.seats.get(member_id)
        if known is None:
            self.seats[member_id] = Seat(member, account, email, others, self.epoch)
            return
        known.account_id, known.email, known.others = account, email, others
        known.epoch, known.ended = self.epoch, False

    # What the vendor tells.

    def see_members(self, first: bool, page: list[tuple[Member, str]], is_last: bool) -> None:
        if self.process != "download_subscriptions":
            return
        if first:
            self.listing, self.details = {}, {}
        for member, what in page:
            if what == "nothing" or self.listing.get(member.member_id, (member, ""))[1] == "all" != what:
                continue
            self.listing[member.member_id] = (member, what)
            if what != "all":
                continue
            others = frozenset(one.upper() for one in member.others)
            self.details[member.member_id] = (member.account_id, member.email.upper(), others)

    def see_events(self, begun: Listing | None, page: Page, is_last: bool) -> None:
        if self.process != "pull_activity":
            return
        if self.every_page:
            self._store()
        if begun:
            self.pending, self.marks, self.earlier, self.stored_marks = [], set(), set(), set()
            self.reading = Reading(self.run, begun.team, self.now())
            for seat in self.seats.values():
                for counts in seat.days.values():
                    counts.pop(self.run, None)
        self.pending = [
            *self.pending,
            *((event, body) for event, body in page if _mark(event, body) not in self.earlier),
        ]
        self.page_marks = {_mark(event, body) for event, body in page} - {None}
        self.pages += 1
        if self.pages >= PAGES_REMEMBERED:
            self.earlier = set()
        self.log_ended = is_last

    def see_devices(self, page: list[tuple[Member, datetime]]) -> None:
        if self.process != "pull_activity":
            return
        self._store()
        for member, at in page:
            if seat := self.seats.get(member.member_id):
                seat.last = max(filter(None, (seat.last, at)))

    # The rules.

    def _store(self) -> None:
        pending, self.pending = self.pending, []
        names: dict[str, tuple[str, str]] = {}
        for event, body in pending:
            user = _user_of(body) if body is event.body else None
            if user is None:
                continue
            account, email = user.get("account_id", ""), user.get("email", "")
            mark = _mark(event, body)
            if mark in self.marks:
                continue
            self.marks.add(mark)
            self.stored_marks = self.page_marks
            if member_id := user.get("team_member_id"):
                account, email = names.setdefault(member_id, (account, email))
            seat = self._owner(user.get("team_member_id", ""), account, email.upper())
            self._credit(event, seat)

    def _credit(self, event: Event, seat: Seat | None) -> None:
        assert self.reading
        self.reading.by_day[event.at.date()] += 1
        if event.owner and event.owner.member_id in self.seats:
            self.elsewhere[event] = seat is None or seat.member is not event.owner
        if seat is None:
            return
        self.credited[event].add(seat.member.member_id)
        seat.last = max(filter(None, (seat.last, event.at)))
        seat.days[event.at.date()][self.reading.key] += 1

    def leads_home(self, event: Event) -> bool:
        """Whether what an event says of its actor leads to its owner's seat, as the seats are listed now.

        The log has to be read again for a seat that gets a name which the log holds.
        """
        user = _user_of(event.body) or {}
        seat = self._owner("", user.get("account_id", ""), user.get("email", "").upper())
        return seat is not None and seat.member is event.owner

    def _owner(self, member_id: str, account: str, email: str) -> Seat | None:
        if member_id in self.seats:
            return self.seats[member_id]
        by_account = [seat for seat in self.seats.values() if account and seat.account_id == account]
        found = self._only(by_account)
        if found or not email:
            return found
        main = [seat for seat in self.seats.values() if seat.email == email]
        second = [seat for seat in self.seats.values() if email in seat.others]
        for some in (main, second):
            if listed := [seat for seat in some if self._is_listed(seat)]:
                return listed[0] if len(listed) == 1 else None
        return self._only(main) if main else self._only(second)

    def _only(self, some: list[Seat]) -> Seat | None:
        listed = [seat for seat in some if self._is_listed(seat)]
        found = listed or some
        return found[0] if len(found) == 1 else None

    def _is_listed(self, seat: Seat) -> bool:
        return not seat.ended and seat.epoch == self.epoch


def _mark(event: Event, body: dict[str, Any]) -> Any:
    """What makes two events one: the second, the kind and the actor; None without an actor."""
    user = _user_of(body) if body is event.body else None
    if user is None:
        return None
    return event.at, event.kind, user.get("team_member_id") or (user.get("account_id", ""), user.get("email", ""))


def _user_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """The member whose use an event is; none where it is nobody's."""
    actor = body.get("actor") or {}
    user: dict[str, Any] | None = actor.get(actor.get(".tag")) if actor.get(".tag") in ("user", "admin") else None
    worn = (body.get("origin") or {}).get("access_method", {}).get(".tag") == "sign_in_as"
    if body["event_type"][".tag"] in NO_USE or (worn and actor[".tag"] == "user"):
        return None
    return user if user and (user.get("team_member_id") or user.get("account_id") or user.get("email")) else None
