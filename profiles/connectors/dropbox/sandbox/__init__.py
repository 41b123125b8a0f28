"""A Dropbox to develop, test and demonstrate against: one object, two doors (`doors.serve`, `doors.plug`).

Loaded only by whoever asks for it by name; no production code imports it.
"""

from profiles.connectors.dropbox.sandbox.application import Sandbox
from profiles.connectors.dropbox.sandbox.faults import Fault
from profiles.connectors.dropbox.sandbox.messages import Request, Response

__all__ = ["Fault", "Request", "Response", "Sandbox"]
