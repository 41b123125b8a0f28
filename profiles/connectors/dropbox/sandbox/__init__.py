"""A stand-in Dropbox for development, tests and demos: one object, served over HTTP or plugged into `responses`.

See `serving.serve` and `serving.plug`.

Loaded only by whoever asks for it by name; no production code imports it.
"""

from profiles.connectors.dropbox.sandbox.application import Sandbox
from profiles.connectors.dropbox.sandbox.faults import Fault
from profiles.connectors.dropbox.sandbox.messages import Request, Response

__all__ = ["Fault", "Request", "Response", "Sandbox"]
