"""The Celery application: the doorbell of the job runs, never their store."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samsaas.settings")

app = Celery("samsaas")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
