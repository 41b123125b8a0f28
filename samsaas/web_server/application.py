"""The application that a web server calls. Whoever serves it has checked its configuration before."""

from __future__ import annotations

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class NetworkRequest(WSGIRequest):
    """A request that came over a socket. `samsaas.doors` is stricter with it than with one of Django's test client."""

    came_over_network = True


class Handler(WSGIHandler):
    request_class = NetworkRequest


def load_application() -> Handler:
    """The application, with Django set up."""
    django.setup(set_prefix=False)
    return Handler()
