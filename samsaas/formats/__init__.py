"""Dates and times as Django writes them by itself, in Core UI above all: the same as in the Workspace."""
