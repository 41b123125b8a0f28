"""Date formats for Django's own output, mainly Core UI: the same as in the Workspace."""
