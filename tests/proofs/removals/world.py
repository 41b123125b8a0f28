"""One small world: a team, one or two profiles of it, some members, and two administrators here."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from reclamation.models import RemovalCandidate
from tests.proofs.removals.watch import Watch
from tests.reclamation.removal.place import Place, sam_admin
from tests.reclamation.removal.stand_in import StandIn

LICENSES = 25  # a ceiling of five, a quota of one: limits are met all the time
MEMBERS = ("ada", "bea", "cid")


class World:
    """The places, people and the watch of one story. `places[0]` is there always."""

    def __init__(self, rng: random.Random, teams: dict[int, StandIn]) -> None:
        self.rng = rng
        self.team = StandIn(licenses=LICENSES)
        self.watch = Watch(self.team, ceiling=LICENSES // 5)
        self.ann, self.bob = sam_admin("ann"), sam_admin("bob")
        self.places: list[Place] = []
        for _ in range(rng.choice((1, 1, 2))):
            rule = {"undo_days": rng.choice((7, 7, 7, 2, 0))}
            place = Place(self.team, **(rule if not self.places else {"undo_days": self.places[0].rule.undo_days}))
            teams[place.profile.pk] = self.team
            alias = place.profile.alias
            type(alias).objects.filter(pk=alias.pk).update(reclaim_quota=rng.choice((1, 5)))
            self.places.append(place)
        self.candidates: list[RemovalCandidate] = []
        for name in MEMBERS:
            self._propose(name)

    def _propose(self, name: str) -> None:
        for place in self.places:
            if place is self.places[0] or self.rng.random() < 0.7:
                status = "active" if name != "cid" else self.rng.choice(("active", "active", "invited", "suspended"))
                known = self.team.members.get(f"dbmid:{name}")
                status = known.seat.status if known else status
                reason = {"active": "idle"}.get(status, status)
                self.candidates.append(place.candidate(name, seat={"status": status}, reason=reason))

    def people(self) -> tuple[User, User]:
        return self.ann, self.bob

    def refresh(self) -> None:
        """Directory and activity of every profile are read anew; what is stored then of use is known here, too."""
        for place in self.places:
            place.refresh()

    def member(self) -> str:
        return f"dbmid:{self.rng.choice(MEMBERS)}"

    def seats(self, member: str) -> Any:
        from subscriptions.models import Subscription  # noqa: PLC0415 - Django is set up by now

        return Subscription.objects.filter(external_id=member)

    def some_time(self) -> timedelta:
        """Seconds, minutes, hours or days."""
        span, most = self.rng.choice((("minutes", 4), ("minutes", 40), ("minutes", 40), ("hours", 3), ("days", 2)))
        return timedelta(**{span: self.rng.uniform(0, most)})

    @property
    def now(self) -> Any:
        return timezone.now()
