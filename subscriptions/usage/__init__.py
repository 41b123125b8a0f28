"""License usage: the license position from the publisher down to the single subscription, and why it is covered."""
