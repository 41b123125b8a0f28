"""The tenants this installation is connected to, and how."""
