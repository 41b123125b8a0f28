"""How gunicorn serves the pages. `WEB_BIND`, `WEB_WORKERS` and `WEB_THREADS` configure it."""

import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from samsaas.environment import Environment
from samsaas.lib.log_lines import FORMATS, LineFormatter
from samsaas.lib.redaction import RedactSecrets


class _Environment(Environment):
    """The environment and `.env`, read before Django reads them.

    It works on a copy of the environment. Otherwise a reload would see the old values instead of the changed file.
    """

    ENVIRON = dict(os.environ)


_Environment.read_env(os.environ.get("SAMSAAS_ENV_FILE", Path(__file__).parent.parent / ".env"))


def read_setting(name: str, default: str) -> str:
    return _Environment.ENVIRON.get(name) or default


class LineLogger(Logger):
    """Gunicorn's own logger with our lines: an address may hold line ends, escape sequences, or a secret."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(FORMATS.get(read_setting("LOG_FORMAT", "line"), LineFormatter)())
            handler.addFilter(RedactSecrets())


logger_class = LineLogger
wsgi_app = "samsaas.wsgi:application"
bind = read_setting("WEB_BIND", "127.0.0.1:8000")
worker_class = "samsaas.web_server.worker.PatientWorker"
workers = int(read_setting("WEB_WORKERS", "2"))
threads = int(read_setting("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 20
# Workers restart now and then; the jitter keeps them from restarting all at once.
max_requests = 10_000
max_requests_jitter = 1_000

# The container's root is read-only: gunicorn's heartbeat files go to memory, and there is no control socket.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - a memory disk, made for this
control_socket_disable = True


def on_starting(server: Any) -> None:
    """End before the first worker is started, unless the configuration can work."""
    from samsaas import startup  # noqa: PLC0415 - the settings tests read this file alone

    startup.refuse_in_child(startup.WEB, addresses=server.cfg.address)


# The path without its query: queries of the OAuth callback contain a code, those of lists contain names.
accesslog = "-"
access_log_format = '%(h)s %(m)s %(U)s %(s)s %(b)s %(M)sms "%(a)s"'
