"""A worker that is killed while it removes accounts, and the installation around it."""
