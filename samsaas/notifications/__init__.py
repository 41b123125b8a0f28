"""The pages of events: the list with what is unread, what a person gets by mail, and webhooks."""
