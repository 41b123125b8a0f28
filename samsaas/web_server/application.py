"""The application that a web server calls. Whoever serves it has checked its configuration before."""

from __future__ import annotations

import gc
from importlib import import_module

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

OFTEN, SELDOM = (700, 10), 30  # Python's own thresholds but the last, which is 10


class NetworkRequest(WSGIRequest):
    """A request that came over a socket. `samsaas.doors` is stricter with it than with one of Django's test client."""

    came_over_network = True


class Handler(WSGIHandler):
    request_class = NetworkRequest


def load_application() -> Handler:
    """The application, with Django set up and all pages imported."""
    django.setup(set_prefix=False)
    import_module(settings.ROOT_URLCONF)
    application = Handler()
    collect_garbage_apart()
    return application


def collect_garbage_apart() -> None:
    """Let hardly any page wait for the garbage collector.

    By itself it looks through all that is loaded for good, and a page waits 0.3 s for it now and then. Here it leaves
    that out and comes once in some seventy pages, for half that time. They leave up to 40 MB to it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*OFTEN, SELDOM)
