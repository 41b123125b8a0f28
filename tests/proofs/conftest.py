"""Proofs note their figures with the scales of the fault tests: `measured(...)`."""

from tests.faults.conftest import measured

__all__ = ["measured"]
