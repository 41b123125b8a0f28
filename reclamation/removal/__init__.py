"""Removing accounts at the vendor: batches, the gate, the one call, undo, and the move of files."""
