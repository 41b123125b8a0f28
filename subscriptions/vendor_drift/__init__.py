"""Where the vendors count otherwise than we do, since when, and what to do about it."""
