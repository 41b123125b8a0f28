"""How gunicorn serves the pages; `WEB_BIND`, `WEB_WORKERS` and `WEB_THREADS` change it from outside."""

import os
from pathlib import Path

import environ


class _Environment(environ.Env):
    """The variables and the file that the settings are read from, before Django is there to read them.

    A copy: the settings of a later reload must come from the file as it is then.
    """

    ENVIRON = dict(os.environ)


_Environment.read_env(os.environ.get("SAMSAAS_ENV_FILE", Path(__file__).parent.parent / ".env"))


def setting(name: str, default: str) -> str:
    return _Environment.ENVIRON.get(name) or default


wsgi_app = "samsaas.wsgi:application"
bind = setting("WEB_BIND", "0.0.0.0:8000")  # noqa: S104 - inside a container; the host decides what is published
worker_class = "gthread"
workers = int(setting("WEB_WORKERS", "2"))
threads = int(setting("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 20
keepalive = 5
# Workers are renewed now and then, never all at once.
max_requests = 10_000
max_requests_jitter = 1_000

# A read-only root has no writable home: heartbeats go to memory, and the control socket is not needed.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - a memory disk, made for this
control_socket_disable = True

# The path without its query: the query of the OAuth callback carries a code, those of lists carry people's names.
accesslog = "-"
access_log_format = '%(h)s %(m)s %(U)s %(s)s %(b)s %(M)sms "%(a)s"'
