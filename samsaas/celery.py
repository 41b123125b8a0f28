"""The Celery application. A task only wakes a worker up; the job runs themselves are rows in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samsaas.settings")

app = Celery("samsaas")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
