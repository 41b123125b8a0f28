"""Removal candidates and the history of their states."""

from reclamation.models.candidate import RemovalCandidate, StateChange

__all__ = ["RemovalCandidate", "StateChange"]
