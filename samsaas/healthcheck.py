"""The health check of a container: `python -P samsaas/healthcheck.py web|process`, exit code 0 if it is healthy.

A script that imports only the standard library, because it runs twice a minute in every container.
"""

import os
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

SILENT_SECONDS = 60


def pages_answer() -> bool:
    """The pages answer. The request carries the public host, because the application refuses any other."""
    host = urlsplit(os.environ.get("PUBLIC_URL", "http://localhost:8000")).netloc
    port = os.environ.get("WEB_BIND", "127.0.0.1:8000").rpartition(":")[2]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310 - our own address
        return bool(answer.status == 200)


def process_reported() -> bool:
    """The worker or the beat has reached the broker within the last minute."""
    return time.time() - Path(os.environ["ALIVE_FILE"]).stat().st_mtime < SILENT_SECONDS


if __name__ == "__main__":
    try:
        healthy = {"web": pages_answer, "process": process_reported}[sys.argv[1]]()
    except OSError as error:
        sys.exit(f"unhealthy: {error}")
    sys.exit(0 if healthy else "unhealthy: silent for too long")
