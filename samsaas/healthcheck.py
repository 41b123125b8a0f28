"""Is this container doing its work? `python -P samsaas/healthcheck.py web|process`, exit code 0 for yes.

Run as a script with the standard library alone, because it runs twice a minute beside the work itself.
"""

import os
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

SILENT_SECONDS = 60


def web() -> bool:
    """The pages answer. The Host header is the public one: every other is refused."""
    host = urlsplit(os.environ.get("PUBLIC_URL", "http://localhost:8000")).netloc
    port = os.environ.get("WEB_BIND", "0.0.0.0:8000").rpartition(":")[2]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310 - our own address
        return bool(answer.status == 200)


def process() -> bool:
    """The worker or the beat has reached the broker within the last minute."""
    return time.time() - Path(os.environ["ALIVE_FILE"]).stat().st_mtime < SILENT_SECONDS


if __name__ == "__main__":
    try:
        healthy = {"web": web, "process": process}[sys.argv[1]]()
    except OSError as error:
        sys.exit(f"unhealthy: {error}")
    sys.exit(0 if healthy else "unhealthy: silent for too long")
