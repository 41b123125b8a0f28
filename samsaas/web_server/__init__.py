"""The web server: gunicorn, with threads that never wait for a stranger. `worker.py` says how."""
