"""Accounts: who may sign in, with which roles, how they are invited, and where they are signed in."""
