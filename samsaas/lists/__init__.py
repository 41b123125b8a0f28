"""How people see lists: density, columns, and saved views."""
