"""What is used, by whom, and what we own."""
