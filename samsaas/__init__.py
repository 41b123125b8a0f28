"""The project: it connects the apps and knows nothing about licenses."""

from samsaas.celery import app as celery_app

__all__ = ["celery_app"]
