"""What removals saved."""
