"""An app that nobody has heard of: what a new process needs, and nothing else."""
