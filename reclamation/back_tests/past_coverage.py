"""What is known now of past time: for which seats the log was read throughout a span, and until when that is final.

Time in no interval is unknown. A seat that became known after its team's log was read is covered from when on the log
was read for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import F, Q

from profiles.models import IntegrationProfile
from subscriptions.activity import last_used
from subscriptions.models import ActivityCoverage


@dataclass(frozen=True)
class PastCoverage:
    """The intervals of several profiles, each of the team that its profile is connected to.

    `final_until` is, by profile, the moment until which no late event is expected. `weak` are the profiles that see
    neither files nor devices.
    """

    intervals: tuple[ActivityCoverage, ...]
    final_until: dict[int, datetime]
    weak: frozenset[int]

    def covers(self, since: datetime, until: datetime) -> Q:
        """The condition for seats whose log was read throughout since ≤ t < until."""
        wide = [one for one in self.intervals if one.since <= since and one.until >= until]
        return _any(Q(profile=one.profile_id) & _known_to(one, since) for one in wide)

    def is_final(self, until: datetime) -> Q:
        """The condition for seats of whose team no event from before the moment is expected any more."""
        return Q(profile__in=[profile for profile, final in self.final_until.items() if final >= until])


def read_coverage(profiles: Iterable[IntegrationProfile]) -> PastCoverage:
    """What is known of the profiles. One query, and one for each profile whose plan records no file events."""
    chosen = list(profiles)
    rows = ActivityCoverage.objects.filter(profile__in=chosen, team_id=F("profile__team_id")).order_by("until")
    found = tuple(rows)
    weak = [one.pk for one in chosen if one.file_events is False and not last_used.has_read_sessions(one)]
    return PastCoverage(found, {one.profile_id: one.settled_until for one in found}, frozenset(weak))


def _known_to(one: ActivityCoverage, since: datetime) -> Q:
    """The seats for which the interval vouches from that moment on."""
    late = Q(known_since__gt=one.known_by, read_from__isnull=False, read_from__lte=since)
    return Q(known_since__lte=one.known_by) | late


def _any(conditions: Iterable[Q]) -> Q:
    """Any of the conditions; none of them is nobody."""
    return reduce(or_, conditions, Q(pk__in=[]))
