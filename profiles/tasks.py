"""Celery's doorbell of every job run; the run's row says everything else."""

from celery import shared_task

from profiles.jobs import execute as executor


@shared_task
def execute(run_id: int) -> None:
    """Execute a queued run by the verb of its process; nothing happens to a run that is not free."""
    executor.run(run_id)
