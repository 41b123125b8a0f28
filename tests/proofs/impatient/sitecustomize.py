"""On the PYTHONPATH of an installation under proof: worker and beat reconnect every second, not every thirty.

An hour without a broker is 120 tries in the product. With this, as many take two minutes.
"""

import functools

from kombu.connection import Connection

Connection._ensure_connection = functools.partialmethod(  # type: ignore[method-assign, assignment]
    Connection._ensure_connection, interval_start=1, interval_step=0, interval_max=1
)
