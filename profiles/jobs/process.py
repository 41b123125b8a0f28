"""What a process is: declared once, in `processes.py` of the app that owns it, and read by the queue and by every page.

JOB_PROCESSES in the settings names the lists of entries. A new process is its verb, one entry, and its place in the
daily order (`samsaas/schedule.py`) if it runs daily. No page of a run, no migration and no other list changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from profiles.jobs.job import Verb
from profiles.models import IntegrationProfile, JobRun
from profiles.models.run import declared_processes

UNKNOWN = "This version of the product does not know this process."
Sentence = str | Callable[[JobRun], str]


@dataclass(frozen=True)
class Counter:
    """One figure of a run: its label and what it means. Some are shown only where they are not zero, some never."""

    label: str
    meaning: str = ""
    only_if_any: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class Link:
    """A way on from a run's page, offered to whoever may open the page with this URL name."""

    label: str
    url: str
    page: str


@dataclass(frozen=True)
class Confirmation:
    """The button that lets a held run go on: its text, the question it asks first, and the text of the answer yes."""

    button: str
    question: str
    answer: str


def never_refused(profile: IntegrationProfile) -> str:
    """Any profile may start the process by hand at any time."""
    return ""


def no_links(run: JobRun) -> dict[str, str]:
    """No counter of the process has a list behind it."""
    return {}


def no_ways_on(run: JobRun) -> list[Link]:
    """There is nothing to open but the profile."""
    return []


@dataclass(frozen=True, kw_only=True)
class Process:
    """A kind of job.

    `verb(job, now=...)` does the work; without one a run stays in the queue. `unit` says what the run's items count, as
    a plural. `counters` are in the order a reader wants them; `counter_links` gives the lists behind them, `facts` the
    labels of the facts that are moments. `refusal(profile)` says why it cannot be started by hand now, or nothing.

    A process is of a profile, or, with `of_subject`, of an id that only its own app understands; runs of the latter go
    one at a time, and `start_elsewhere` says on their page from where they are started. One that `survives_outages`
    refreshes the profile: if no person waits for it, it goes back into the queue when the vendor is in trouble; how it
    ended decides what the profile says of its refresh; and if a person starts it, the rest of the daily order follows.

    The texts: what the page says after success (`done_text`), after *Cancel* (`canceled_text`) and while the run waits
    for a person (`held_title`, with `confirmation` where pressing a button lets it go on); `expected_note` says who
    knows how many items there will be; `found_template` shows what is left to tell; `ways_on` leads on from there.
    """

    key: str
    label: str
    unit: str
    verb: Verb | None
    counters: Mapping[str, Counter] = field(default_factory=dict)
    refusal: Callable[[IntegrationProfile], str] = never_refused
    done_text: Sentence = "This run succeeded."
    of_subject: bool = False
    survives_outages: bool = True
    canceled_text: str = "Nothing of it was stored; everything is as it was before."
    held_title: str = "A person has to look at this run"
    confirmation: Confirmation | None = None
    expected_note: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    counter_links: Callable[[JobRun], dict[str, str]] = no_links
    ways_on: Callable[[JobRun], list[Link]] = no_ways_on
    found_template: str = ""
    start_elsewhere: str = ""

    def describe_success(self, run: JobRun) -> str:
        """The sentence for a run that succeeded."""
        return self.done_text if isinstance(self.done_text, str) else self.done_text(run)


def find_process(key: str) -> Process:
    """The entry of a process, or a stand-in where no installed app declares it."""
    return next((process for process in declared_processes() if process.key == key), None) or _stand_in(key)


def _stand_in(key: str) -> Process:
    """Shows the runs of a process that only another version of the product knows. Nothing executes them here."""
    return Process(
        key=key,
        label=key,
        unit="Items",
        verb=None,
        refusal=lambda profile: UNKNOWN,
        canceled_text="",
        survives_outages=False,
    )


def refreshing_keys() -> list[str]:
    """The processes whose last runs tell whether a profile's refresh works."""
    return [process.key for process in declared_processes() if process.survives_outages and not process.of_subject]


def label_of(key: str) -> str:
    """The process's name on pages; its key where no installed app declares it."""
    return find_process(key).label
