"""Celery's doorbells of the subscription processes; the job run's row says everything else."""

from celery import shared_task

from profiles import runs
from subscriptions import (
    download as download_subscriptions,
    import_people as import_directory,
    match_people,
    pull_activity,
)


@shared_task
def download(run_id: int) -> None:
    runs.execute(run_id, download_subscriptions.run)


@shared_task
def match(run_id: int) -> None:
    runs.execute(run_id, match_people.run)


@shared_task
def pull(run_id: int) -> None:
    runs.execute(run_id, pull_activity.run)


@shared_task
def import_people(run_id: int) -> None:
    runs.execute(run_id, import_directory.run)
