"""The WSGI entry point of the web server, and of `manage.py runserver`."""

import os

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samsaas.settings")


class NetworkRequest(WSGIRequest):
    """A request that came over a socket. `samsaas.doors` is stricter with it than with one of Django's test client."""

    came_over_network = True


class Handler(WSGIHandler):
    request_class = NetworkRequest


django.setup(set_prefix=False)
application = Handler()
