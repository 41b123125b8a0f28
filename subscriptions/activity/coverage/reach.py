"""From when on the coverage that reaches until now vouches for a seat, and what follows from it for its use.

`vouched_from` is the moment since which every use of the seat would be known to us. It is empty if there is none: the
coverage ended more than two days ago, the seat is of another team, or the log was not read since it became known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest, NullIf

from profiles.models import IntegrationProfile
from subscriptions.activity.coverage import intervals
from subscriptions.models import ActivityCoverage, Subscription
from subscriptions.models.vendor_moment import VendorMomentField

STALE = timedelta(hours=48)  # coverage that ends earlier than this means that a daily pull has failed
MOMENT = VendorMomentField()
# Null, but no constant: PostgreSQL does not sort by a constant, and without any coverage nothing else would be left.
NOTHING = NullIf("known_since", "known_since")


@dataclass(frozen=True)
class Reach:
    """The coverage of one profile that reaches until now: since when, and for the seats known by which moment."""

    profile_id: int
    since: datetime
    until: datetime
    known_by: datetime
    team_since: datetime | None

    @property
    def first_moment(self) -> Value:
        """`since`, for a query."""
        return Value(self.since, output_field=MOMENT)

    def seats_of_team(self) -> Q:
        """The profile's seats that belong to the team whose log was read."""
        of_team = Q(known_since__gte=self.team_since) if self.team_since else Q()
        return Q(profile=self.profile_id) & of_team


@dataclass(frozen=True)
class Knowledge:
    """The reach of each profile that has one."""

    reaches: tuple[Reach, ...]

    def vouched(self) -> Q:
        """The condition for seats whose use is known since some moment."""
        return _any(one.seats_of_team() & (_known_early(one) | _read_later(one)) for one in self.reaches)

    def exact(self) -> Q:
        """The condition for seats whose idle days are known exactly: all time since their last use was read.

        A seat without any use since it was assigned counts from that day.
        """
        return _any(
            one.seats_of_team()
            & (
                (_known_early(one) & _used_or_assigned_since(one.first_moment))
                | (_read_later(one) & _used_or_assigned_since(Greatest(F("read_from"), one.first_moment)))
            )
            for one in self.reaches
        )

    def vouched_from(self) -> Case:
        """For `annotate`: the moment since which the seat's use is known; null where nothing is."""
        cases = []
        for one in self.reaches:
            cases.append(When(one.seats_of_team() & _known_early(one), then=one.first_moment))
            later = Greatest(F("read_from"), one.first_moment)
            cases.append(When(one.seats_of_team() & _read_later(one), then=later))
        return Case(*cases, default=NOTHING, output_field=MOMENT)

    def unused_since(self) -> Case:
        """For `annotate`: since when the seat is surely unused; null where that is not known.

        That is its last use, if all time since then was read, or else the moment since which its use is known. A seat
        that was assigned later is unused since then; what was used before, in a former membership, says nothing more.
        """
        known = self.vouched_from()
        used, assigned = (
            Coalesce(column, Value(_BEGINNING, output_field=MOMENT)) for column in ("last_activity__at", "assigned_at")
        )
        return Case(
            When(self.vouched(), then=Greatest(known, used, assigned)),
            default=NOTHING,
            output_field=MOMENT,
        )


_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def read_knowledge(now: datetime) -> Knowledge:
    """The coverage of each profile's team that reaches until now. One query."""
    reaching = ActivityCoverage.objects.filter(until__gte=now - STALE, team_id=F("profile__team_id")).order_by("until")
    rows = reaching.values_list("profile", "since", "until", "known_by", "profile__team_since")
    return Knowledge(tuple({row[0]: Reach(*row) for row in rows}.values()))


def _known_early(one: Reach) -> Q:
    return Q(known_since__lte=one.known_by)


def _read_later(one: Reach) -> Q:
    """Seats that became known after the coverage began, and for which the log was read since."""
    return Q(known_since__gt=one.known_by, read_from__isnull=False)


def _used_or_assigned_since(moment: Combinable) -> Q:
    return Q(last_activity__at__gte=moment) | Q(assigned_at__gte=moment)


def of_seat(profile: IntegrationProfile, seat: Subscription) -> list[tuple[datetime, datetime, datetime]]:
    """The time that was read for one seat, as (since, settled until, until), in the order of time."""
    if profile.team_since and seat.known_since < profile.team_since:
        return []
    found = []
    for one in intervals.of_team(profile):
        since = one.since if seat.known_since <= one.known_by else max(one.since, seat.read_from or one.until)
        if since < one.until:
            found.append((since, max(since, one.settled_until), one.until))
    return found


def _any(conditions: Iterable[Q]) -> Q:
    """Any of the conditions; none of them is nobody."""
    return reduce(or_, conditions, Q(pk__in=[]))
