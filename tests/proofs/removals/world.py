"""One small world: a team, one or two profiles of it, some members, two administrators here, and a mail server."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from reclamation.models import ReclamationRule, RemovalAttempt
from subscriptions.models import Match, Person, Subscription
from tests import factories
from tests.proofs.removals.post import Post
from tests.proofs.removals.watch import Watch
from tests.reclamation.removal.place import Place, sam_admin
from tests.reclamation.removal.stand_in import StandIn

LICENSES = 25  # a ceiling of five; the quotas are lower, so they are met all the time
MEMBERS = ("ada", "bea", "cid")
Approver = ReclamationRule.Approver


class World:
    """The places, people, letters and the watch of one story. `places[0]` is there always.

    `agreed` has who said yes to the removal of a candidate, `moved_at` when the address of a member last changed.
    """

    def __init__(self, rng: random.Random, teams: dict[int, StandIn]) -> None:
        self.rng = rng
        self.team = StandIn(licenses=LICENSES)
        self.watch = Watch(self.team)
        self.post = Post()
        self.ann, self.bob = sam_admin("ann"), sam_admin("bob")
        User.objects.filter(pk=self.bob.pk).update(email="bob@example.com")
        self.agreed: dict[int, set[int]] = {}
        self.moved_at: dict[str, datetime] = {}
        self.places: list[Place] = []
        self.quota = LICENSES // 5
        undo_days = rng.choice((7, 7, 7, 2, 0))
        for _ in range(rng.choice((1, 1, 2))):
            self._add_place(teams, undo_days)
        self.people = {name: self._person(name) for name in MEMBERS if rng.random() < 0.6}
        for name in MEMBERS:
            self._propose(name)

    def _add_place(self, teams: dict[int, StandIn], undo_days: int) -> None:
        asks = {
            "notify_user": self.rng.random() < 0.6,
            "notice_days": self.rng.choice((1, 3, 7)),
            "remind_before": [],
            "approver": self.rng.choice((Approver.NONE, Approver.NONE, Approver.GROUP)),
            "second_person": self.rng.random() < 0.15,
        }
        if asks["notice_days"] > 1:
            asks["remind_before"] = [1]
        place = Place(self.team, undo_days=undo_days, **asks)
        teams[place.profile.pk] = self.team
        alias = place.profile.alias
        quota = self.rng.choice((1, 1, 2, 5))
        type(alias).objects.filter(pk=alias.pk).update(reclaim_quota=quota)
        self.quota = min(self.quota, quota)
        self.places.append(place)

    def _person(self, name: str) -> Person:
        """Whom the seats of a member belong to. Some have left the company."""
        left = timezone.localdate() - timedelta(days=40) if self.rng.random() < 0.2 else None
        address = f"{name}.private@example.com" if self.rng.random() < 0.5 else f"{name}@example.com"
        return factories.person(address, left_on=left)

    def _propose(self, name: str) -> None:
        for place in self.places:
            if place is self.places[0] or self.rng.random() < 0.7:
                status = "active" if name != "cid" else self.rng.choice(("active", "active", "invited", "suspended"))
                known = self.team.members.get(f"dbmid:{name}")
                status = known.seat.status if known else status
                person = self.people.get(name)
                has_left = bool(person and person.left_on)
                reason = "leaver" if has_left else {"active": "idle"}.get(status, status)
                given = {"seat": {"status": status}, "reason": reason, "is_leaver": has_left}
                made = place.candidate(name, **given)
                if person and made.subscription:
                    factories.match(made.subscription, person)

    def rule_of(self, attempt: RemovalAttempt) -> ReclamationRule:
        return next(one.rule for one in self.places if one.profile.pk == attempt.profile_id)

    def refresh(self) -> None:
        """Directory and activity of every profile are read anew; what is stored then of use is known here, too."""
        for place in self.places:
            place.refresh()

    def member(self) -> str:
        return f"dbmid:{self.rng.choice(MEMBERS)}"

    def seats(self, member: str) -> Any:
        return Subscription.objects.filter(external_id=member)

    def change_address(self, member: str) -> None:
        """The account has another address, at the vendor and after a download."""
        address = f"new{self.rng.randint(1, 99)}.{member.removeprefix('dbmid:')}@example.com"
        self.team.change(member, email=address)
        self.seats(member).update(email=address)
        self.moved_at[member] = timezone.now()

    def change_person(self, member: str) -> None:
        """The directory says that the seats of a member are somebody else's."""
        somebody = factories.person(f"somebody{self.rng.randint(1, 99999)}@example.com")
        for seat in self.seats(member):
            Match.objects.update_or_create(subscription=seat, defaults={"person": somebody, "at": timezone.now()})

    def some_time(self) -> timedelta:
        """Seconds, minutes, hours or days."""
        span, most = self.rng.choice((("minutes", 4), ("minutes", 40), ("minutes", 40), ("hours", 3), ("days", 2)))
        return timedelta(**{span: self.rng.uniform(0, most)})
