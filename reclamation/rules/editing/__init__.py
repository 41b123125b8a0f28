"""Changing a rule: its form, what is offered to choose from, the preview, and the review."""
