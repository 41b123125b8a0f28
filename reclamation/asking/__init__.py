"""Asking people about candidates: their users, and approvers."""
