"""Subscriptions, people, rights and positions in the REST API."""

from subscriptions.api import people, position, rights, seats, software

patterns = [*seats.patterns, *software.patterns, *people.patterns, *rights.patterns, *position.patterns]
