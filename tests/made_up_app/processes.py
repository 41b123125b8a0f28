"""One process about a subject: it counts the paper clips of an office."""

from __future__ import annotations

from datetime import datetime

from profiles.jobs.job import Job
from profiles.jobs.process import Counter, Process


def count_paper_clips(job: Job, *, now: datetime) -> None:
    """Find 42 paper clips, 2 of them bent."""
    job.progress(items=42, expected=42, counters={"found": 42, "bent": 2, "rusty": 0})


PROCESSES = [
    Process(
        key="count_paper_clips",
        label="Count paper clips",
        unit="Paper clips",
        verb=count_paper_clips,
        counters={
            "found": Counter("In the drawer", "straight and bent ones"),
            "bent": Counter("Bent", only_if_any=True),
            "rusty": Counter("Rusty", only_if_any=True),
        },
        done_text="Every paper clip was counted.",
        canceled_text="The count was thrown into the bin.",
        of_subject=True,
        survives_outages=False,
        start_elsewhere="Paper clips are counted from the drawer.",
    )
]
