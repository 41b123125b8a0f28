"""Celery's doorbells of the subscription processes; the job run's row says everything else."""

from celery import shared_task

from profiles.jobs import execute as runs
from subscriptions.activity import pull as pull_activity
from subscriptions.download import download as download_subscriptions
from subscriptions.matching import match as match_people
from subscriptions.people.imports import steps as import_directory


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
