"""Jobs that go on after the answer, and effects that come late."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

Act = Callable[[], None]


@dataclass(kw_only=True)
class Job:
    """A job of a team. It ends at `due`, or after `polls` answers of in progress, and then does `act`."""

    kind: str
    team_id: str
    due: dt.datetime
    polls: int
    act: Act | None


@dataclass(kw_only=True)
class Work:
    """How long things take, and what is still to come.

    `polls`: how many times a job answers that it is in progress. `job_takes`: by then it is done though nobody asks.
    `always_jobs`: a removal without a transfer is a job as well. `transfer_takes`: until the files have arrived.
    `log_lag`: until the team log shows what a call did.
    """

    polls: int = 1
    job_takes: dt.timedelta = dt.timedelta(seconds=30)
    always_jobs: bool = False
    transfer_takes: dt.timedelta = dt.timedelta(minutes=1)
    log_lag: dt.timedelta = dt.timedelta(minutes=2)
    jobs: dict[str, Job] = field(default_factory=dict)
    late: list[tuple[dt.datetime, Act]] = field(default_factory=list)

    def begin(self, kind: str, team_id: str, now: dt.datetime, act: Act) -> str:
        """The id of a new job."""
        job_id = f"dbjid:AAB{secrets.token_urlsafe(24)}"
        self.jobs[job_id] = Job(kind=kind, team_id=team_id, due=now + self.job_takes, polls=self.polls, act=act)
        return job_id

    def poll(self, job: Job) -> bool:
        """Whether a job is done. Asking brings it nearer to its end."""
        if job.polls > 0:
            job.polls -= 1
            return False
        self.end(job)
        return True

    def end_named(self, argument: bytes, *, acts: bool) -> None:
        """End the job that the argument of a call names, if there is one; without its effect if `acts` is false."""
        try:
            job = self.jobs.get(json.loads(argument)["async_job_id"])
        except (ValueError, KeyError, TypeError):
            return
        if job is not None:
            job.act = job.act if acts else None
            self.end(job)

    @staticmethod
    def end(job: Job) -> None:
        """Let a job do what it is for, once."""
        act, job.act, job.polls = job.act, None, 0
        if act is not None:
            act()

    def catch_up(self, now: dt.datetime) -> None:
        """Do everything that is due by now."""
        due = [act for moment, act in self.late if moment <= now]
        self.late = [(moment, act) for moment, act in self.late if moment > now]
        for act in due:
            act()
        for job in tuple(self.jobs.values()):
            if job.due <= now:
                self.end(job)
