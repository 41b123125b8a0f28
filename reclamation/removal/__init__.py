"""Removing: attempts at the vendor."""
