"""A tenant whose listing the download tests script page by page, and the few verbs they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import F

from profiles import connectors
from profiles.connectors import base
from profiles.jobs import execute as executor
from profiles.models import ConnectionAlias, IntegrationProfile, JobRun
from subscriptions.download import download
from subscriptions.models import Subscription

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
TEAM = "dbtid:one"


class Killed(BaseException):
    """kill -9: nobody catches it, nothing is tidied up."""


class Tenant:
    """A connector over a list. `before[n]` is called, or raised, instead of handing out page n (1 is the first)."""

    def __init__(self) -> None:
        self.members: list[base.Seat | base.SetAside] = []
        self.page_size = 2
        self.provisioned: int | None = None
        self.team_id = TEAM
        self.counters = base.Counters()
        self.before: dict[int, BaseException | Callable[[], None]] = {}
        self.asked: list[str] = []
        self.last_has_more = False

    def team(self) -> base.Team:
        return base.Team(team_id=self.team_id, name="One", licensed=100, provisioned=self.provisioned, used=7)

    def admin(self) -> base.Admin:
        raise NotImplementedError

    def seats(self, cursor: str = "") -> Iterator[base.Page]:
        number = int(cursor or 0)
        while True:
            number += 1
            self.asked.append(cursor)
            self._interfere(number)
            part = self.members[(number - 1) * self.page_size : number * self.page_size]
            more = number * self.page_size < len(self.members)
            cursor = str(number)
            yield base.Page(
                items=[one for one in part if isinstance(one, base.Seat)],
                set_aside=[one for one in part if isinstance(one, base.SetAside)],
                cursor=cursor,
                has_more=more or self.last_has_more,
            )
            if not more:
                return

    def _interfere(self, number: int) -> None:
        fault = self.before.pop(number, None)
        if isinstance(fault, BaseException):
            raise fault
        if fault:
            fault()


def seat(name: str, **changes: object) -> base.Seat:
    given = {
        "external_id": f"dbmid:{name}",
        "identifier": "full",
        "email": f"{name}@example.com",
        "status": "active",
        "vendor_status": "active",
        "consumes_license": True,
        "display_name": name.title(),
        "assigned_at": datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
    }
    return base.Seat(**{**given, **changes})


def seats(count: int, first: int = 0) -> list[base.Seat]:
    return [seat(f"u{number}") for number in range(first, first + count)]


def make_profile(name: str = "Dropbox One") -> IntegrationProfile:
    alias = ConnectionAlias.objects.create(name=name.replace(" ", "_"), vendor="dropbox", parent=_parent())
    return IntegrationProfile.objects.create(
        vendor="dropbox",
        display_name=name,
        alias=alias,
        status="published",
        team_id=TEAM,
        team_name="One",
        analyze_activity_from=NOW,
    )


def _parent() -> ConnectionAlias:
    label = connectors.vendor("dropbox").alias_name
    return ConnectionAlias.objects.get_or_create(vendor="dropbox", parent=None, defaults={"name": label})[0]


def queue_run(profile: IntegrationProfile, **given: object) -> JobRun:
    return JobRun.objects.create(
        profile=profile,
        profile_name=profile.display_name,
        process=base.DOWNLOAD,
        trigger=JobRun.Trigger.MANUAL,
        created_at=NOW,
        **given,
    )


def execute(run: JobRun, *, days: float = 0) -> JobRun:
    """Run the row as a worker would, `days` after the story's first day."""
    executor.run(run.pk, download.run, clock=lambda: NOW + timedelta(days=days))
    run.refresh_from_db()
    return run


def refresh(profile: IntegrationProfile, *, days: float = 0, **given: object) -> JobRun:
    return execute(queue_run(profile, **given), days=days)


def lose_worker(run: JobRun) -> None:
    """What the sweeper does with a run whose worker died."""
    JobRun.objects.filter(pk=run.pk).update(
        state=JobRun.State.QUEUED, owner="", generation=F("generation") + 1, not_before=None
    )


def current(profile: IntegrationProfile) -> set[str]:
    return set(Subscription.objects.filter(profile=profile).current().values_list("external_id", flat=True))


def ids(members: list[base.Seat]) -> set[str]:
    return {one.external_id for one in members}


def rows(profile: IntegrationProfile) -> list[dict]:
    """Every stored seat, field by field."""
    return list(Subscription.objects.filter(profile=profile).order_by("external_id").values())
