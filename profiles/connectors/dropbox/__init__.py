"""Dropbox: team members, activity and removal by its Business API, version 2."""
