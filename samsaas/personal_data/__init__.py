"""What is stored about one person: `places.py` finds it, `erase.py` removes it, `export.py` writes it into a file."""
