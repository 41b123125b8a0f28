"""What Prometheus reads: `collect.py` asks the database, `views.py` answers whoever has the token."""
