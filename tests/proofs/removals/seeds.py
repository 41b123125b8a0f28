"""The seeds at which a story first catches each mutant; `tests.proofs.removals.search` finds them."""

CAUGHT_AT: dict[str, int] = {}
