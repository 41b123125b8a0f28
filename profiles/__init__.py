"""Who we are connected to, and how."""
