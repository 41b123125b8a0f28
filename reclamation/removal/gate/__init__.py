"""The gate: every guard that a removal has to pass, twice. A missing answer fails."""
