"""The project: wires the apps and knows nothing about licences."""

from samsaas.celery import app as celery_app

__all__ = ["celery_app"]
