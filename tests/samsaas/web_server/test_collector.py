"""The garbage collector of a web server, which would make a page wait while it looks through all that is loaded."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc
from samsaas.web_server.application import load_application
load_application()
loaded = gc.get_freeze_count()
print(loaded > 10 * len(gc.get_objects()), gc.isenabled())
"""


def test_what_a_web_server_has_loaded_is_left_out_when_garbage_is_collected() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"], "what pages leave is still collected"
