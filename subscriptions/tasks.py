"""Celery's doorbells of the subscription processes; the job run's row says everything else."""

from celery import shared_task

from profiles import runs
from subscriptions import download as download_subscriptions


@shared_task
def download(run_id: int) -> None:
    runs.execute(run_id, download_subscriptions.run)
