"""What we may take back."""
