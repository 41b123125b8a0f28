"""Tests tell stories: each is named after what it proves."""
