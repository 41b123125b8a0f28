"""Home: the page for five minutes on a Monday, which reads from every app."""
