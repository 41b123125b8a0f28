"""The jump guard: many more proposals than in the last find are likelier an accident than a change of the company.

Such a day nobody is asked and nothing is removed automatically. An import that marks everybody as left is the likeliest
accident, so leavers count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from profiles.models import IntegrationProfile, JobRun
from profiles.notices import ProfileNotice
from reclamation.models import ReclamationRule
from reclamation.sums import FIND
from subscriptions.activity import last_used

ALWAYS = 10
TIMES = 2
FACT = "jump"
JUMPED = ProfileNotice(
    "warn",
    "Many more candidates than usual",
    "So many that an accident is likelier than a change of the company, such as an import that marks everybody as "
    "left. Nobody is asked and nothing is removed automatically today.",
)


@dataclass(frozen=True)
class Jump:
    """The proposals of a find, and of the last one before it that had any."""

    proposed: int
    previous: int

    @property
    def limit(self) -> int:
        return max(ALWAYS, TIMES * self.previous)

    @property
    def is_over(self) -> bool:
        return self.proposed > self.limit

    def as_fact(self) -> dict[str, int | bool]:
        """As the run of the find keeps it."""
        return {"proposed": self.proposed, "previous": self.previous, "limit": self.limit, "is_over": self.is_over}


def measure(run: JobRun, proposed: int) -> Jump:
    """The proposals of this find against those of the profile's last find with any."""
    earlier = JobRun.objects.for_process(FIND).filter(profile=run.profile_id, pk__lt=run.pk)
    done = earlier.filter(state=JobRun.State.SUCCEEDED, counters__proposed__gt=0).order_by("-pk").first()
    return Jump(proposed, int(done.counters["proposed"]) if done else 0)


def jumped_today(profiles: Iterable[IntegrationProfile], now: datetime) -> set[int]:
    """The keys of those of the profiles whose find proposed too many today, so nothing is automatic until midnight.

    One query.
    """
    finds = JobRun.objects.for_process(FIND).filter(profile__in=[one.pk for one in profiles], facts__jump__is_over=True)
    return set(finds.filter(created_at__gte=last_used.midnight(now)).order_by().values_list("profile", flat=True))


def add_notices(profiles: Sequence[Any], now: datetime) -> None:
    """Add a notice to the `notices` of each profile whose find jumped today, if any rule acts automatically."""
    jumped = jumped_today(profiles, now)
    automatic = ReclamationRule.objects.filter(active=True, mode=ReclamationRule.Mode.AUTOMATIC)
    if jumped and automatic.exists():
        for profile in profiles:
            if profile.pk in jumped:
                profile.notices.append(JUMPED)
