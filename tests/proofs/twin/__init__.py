"""The twin of the activity connector: made-up worlds whose whole truth is known, and what the product made of them.

- `truth`: teams of people who join, leave, return, are renamed, and use the product; every event with its true owner.
- `vendor`: a strict Dropbox over these teams, plugged in at the transport, which shares no code with the sandbox.
- `faults`: everything that goes wrong on its way, on any route and in any order.
- `spoiling`: lists and logs that end early, and whether that can be noticed.
- `ledger`: an independent model of what the product has to know, in plain Python, from what was served to it.
- `claims`: the product's last activities, days, presence and coverage, compared with ledger and truth.
- `stage`: the clock and the transport around the product.
- `story`: one world from a seed, day by day. A failure tells its seed and its story.

`python -m tests.proofs.twin --worlds 500` proves it on many worlds, `--seed N --worlds 1` plays one again.
"""
