"""The mutants that the gate plays, and the seeds of the first stories that catch them."""

CAUGHT_AT: dict[str, int] = {"activity_is_not_asked": 3, "role_is_not_asked": 2}
