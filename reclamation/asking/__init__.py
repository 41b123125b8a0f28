"""Asking: mails to users, the link that can only keep, and approvals."""
