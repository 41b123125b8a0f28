"""Reclamation rules: made automatically, edited and reviewed by people; and whom no rule proposes.

`settings_of(candidate)` gives the settings that decide on a candidate.
"""

from reclamation.rules.settings_of_candidate import settings_of, settings_under

__all__ = ["settings_of", "settings_under"]
