"""How long each kind of data is kept: `kinds.py` says what is old, `clean.py` deletes it, `views.py` shows it."""
