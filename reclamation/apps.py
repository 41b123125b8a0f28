"""The app that knows reclamation rules and removal candidates."""

from django.apps import AppConfig


class ReclamationConfig(AppConfig):
    name = "reclamation"
