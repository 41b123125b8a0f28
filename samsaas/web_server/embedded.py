"""The same web server inside a process that does other work as well: the embedded mode."""

from __future__ import annotations

import os
import selectors
import socket
import threading
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from samsaas.web_server.worker import PatientWorker

THREADS = 8
STOP_SECONDS = 2


class EmbeddedWorker(PatientWorker):
    """The worker in a thread of ours: signals, the parent and the heartbeat file belong to others."""

    def serve(self, application: Any) -> None:
        """Answer requests until `handle_exit` is called."""
        self.wsgi = application
        self.tpool, self.poller = self.get_thread_pool(), selectors.DefaultSelector()
        self.method_queue.init()
        self.run()

    def is_parent_alive(self) -> bool:
        return True


class EmbeddedServer:
    """One address and an application. Raises `OSError` if the address cannot be had."""

    def __init__(self, host: str, port: int, application: Any, *, threads: int = THREADS) -> None:
        self.application = application
        self.listener = socket.create_server((host, port), backlog=256)
        self.listener.setblocking(False)
        config = Config()
        config.set("threads", threads)
        config.set("graceful_timeout", STOP_SECONDS)
        self.ended = threading.Event()
        self.worker = EmbeddedWorker(0, os.getppid(), [self.listener], None, 0, config, _plain_logger(config))

    def serve_forever(self) -> None:
        try:
            self.worker.serve(self.application)
        finally:
            self.ended.set()

    def shutdown(self) -> None:
        """End `serve_forever`, which another thread is running, and wait until the last answers are sent."""
        self.worker.handle_exit(None, None)
        self.ended.wait(2 * STOP_SECONDS)

    def server_close(self) -> None:
        self.listener.close()


def _plain_logger(config: Config) -> Logger:
    """Gunicorn's logger, writing where the process writes. There is no access log: queries contain codes and names."""
    logger = Logger(config)
    logger.error_log.handlers.clear()
    logger.error_log.propagate = True
    return logger
