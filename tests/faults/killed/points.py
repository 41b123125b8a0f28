"""The places at which a worker is killed. *Before* is right before the write or call, *after* right behind it.

A write inside a transaction is undone by a kill right behind it, so the places behind a call stand for what is
committed and goes no further.
"""

from __future__ import annotations

WRITES = (
    "approved>gated",
    "gated>calling",
    "calling>job",
    "calling>removed",
    "job>removed",
    "calling>unknown",
    "unknown>removed",
    "unknown>gated",
    "restoring>restored",
    "removed>moving",
    "moving>closed",
)
CALLS = ("withdraw", "restore", "finish", "deliver")
MOVES = ("awaiting_user>awaiting_revocation", "awaiting_revocation>closed_complete")
POINTS = tuple(f"{when} {place}" for place in (*WRITES, *CALLS, *MOVES) for when in ("before", "after"))
# Of each kind one, and those at which most can go wrong. The gate kills here, `make prove` everywhere.
IN_THE_GATE = (
    "before withdraw",
    "after withdraw",
    "before calling>removed",
    "after job>removed",
    "before unknown>removed",
    "after restore",
    "after finish",
    "after deliver",
)
# At every fifth place the whole process group dies, as with the machine; elsewhere one process of the worker's pool.
WITH_PARENT = frozenset((*POINTS[::5], "after withdraw"))
