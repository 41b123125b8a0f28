"""Reports by mail on a schedule: `figures.py` says what is in them, `send.py` sends them, the rest is their pages."""
