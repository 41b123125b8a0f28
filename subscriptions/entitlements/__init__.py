"""What the company owns: entitlements, what they cost, and to whom their rights are allocated."""
