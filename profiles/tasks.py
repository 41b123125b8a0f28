"""Celery's doorbell of the validation; the job run's row says everything else."""

from celery import shared_task

from profiles import validate as validate_connection
from profiles.jobs import execute as runs


@shared_task
def validate(run_id: int) -> None:
    runs.execute(run_id, validate_connection.run)
