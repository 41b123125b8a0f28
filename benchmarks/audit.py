"""How long sealing and verifying an audit trail takes, and in how much memory. Prints Markdown.

    python benchmarks/audit.py --sizes 100000,1000000 --database sqlite
    python benchmarks/audit.py --sizes 1000000 --database postgresql://user@host/benchmark_audit

Each step is a process of its own, so that its peak memory is its own. The database is emptied: its name must begin with
"benchmark".
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402

STEPS = ("seal", "verify", "export", "check the file")
BATCH = 5000
KEY = urlsafe_b64encode(b"benchmark" * 3 + b"keys!").decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000", help="entries, separated by commas")
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--file", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        measure(options.step, int(options.sizes), Path(options.file))
        return
    for size in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            compare(size, database(options.database, Path(scratch)), Path(scratch) / "trail.jsonl")


def compare(size: int, url: str, file: Path) -> None:
    """Fill a database with so many entries, and print what each step costs."""
    given = {**environment(url), "AUDIT_SIGNING_KEY": KEY}
    arguments = ["--sizes", str(size), "--file", str(file)]

    def run(step: str) -> str:
        command = [sys.executable, __file__, "--step", step, *arguments]
        return subprocess.run(command, env=given, check=True, capture_output=True, text=True).stdout

    run("fill")
    print(f"\n{urlsplit(url).scheme}, {size:,} entries\n\n| step | seconds | peak memory, MB |\n|---|---|---|")
    for step in STEPS:
        seconds, peak = json.loads(run(step))
        print(f"| {step} | {seconds:.1f} | {peak:.0f} |")


def measure(step: str, size: int, file: Path) -> None:
    """Do one step and print its seconds and the peak memory of this process."""
    import django  # noqa: PLC0415 - only the measuring processes set Django up

    django.setup()
    from django.utils import timezone  # noqa: PLC0415

    from samsaas.lib import signatures  # noqa: PLC0415
    from samsaas.sealing import seal, trail_file, verify  # noqa: PLC0415

    now, started = timezone.now(), time.perf_counter()
    if step == "fill":
        return fill(size)
    if step == "seal":
        seal.run_to_the_end(now=now)
    elif step == "verify":
        report = verify.run(now=now)
        assert report.is_sound and report.sealed == size, report
    elif step == "export":
        with file.open("wb") as out:
            out.writelines(trail_file.write(now=now))
    else:
        with file.open("rb") as lines:
            assert trail_file.check(lines, signatures.known_keys()).sealed == size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([time.perf_counter() - started, peak]))
    return None


def fill(size: int) -> None:
    """An empty database with so many entries of an hour ago."""
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from samsaas.models import AuditEntry  # noqa: PLC0415
    from tests import trail  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    trail.drop_triggers()
    call_command("flush", interactive=False, verbosity=0)
    start = timezone.now() - timedelta(hours=1)
    for first in range(0, size, BATCH):
        AuditEntry.objects.bulk_create(
            AuditEntry(
                at=start + timedelta(milliseconds=number),
                actor_id=number % 97,
                actor_name=f"person{number % 97}@example.com",
                verb="changed software model",
                object_type="Software Model",
                object_id=str(number),
                object_name=f"Dropbox Business, edition {number}",
                detail={"before": {"name": "Old", "price": "12.50"}, "after": {"name": "New", "price": "14.00"}},
            )
            for number in range(first, min(first + BATCH, size))
        )


if __name__ == "__main__":
    main()
