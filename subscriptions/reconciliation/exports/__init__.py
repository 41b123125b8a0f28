"""A position as a file or on paper, and what was changed in one since it was signed."""
