"""Counts of seats that are made when facts change, and read by pages."""
