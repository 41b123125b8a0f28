"""Seeds at which a story first catches a mutant; `tests.proofs.removals.search` finds them."""

CAUGHT_AT: dict[str, int] = {
    "activity_is_not_asked": 3,
    "role_is_not_asked": 2,
}
