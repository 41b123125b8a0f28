"""What the vendor said about one member when it was asked for the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from profiles.connectors import base


@dataclass(frozen=True)
class VendorAnswers:
    """The vendor's answers about one member.

    - `look`: what it says of the member, at `looked_at`.
    - `used_at` and `used_kind`: the latest use since the moment in question; None for none.
    - `use_asked`: whether its log could be asked about the member at all.
    - `use_later`: its log is asked right before the call only, as for a whole batch at its first gate.
    - `unread`: why its log could not be read to the end; empty if it could.
    - `came_back`: whether its log says that the member was restored, or joined again, since it was proposed or called.
    - `back_later`: its log is asked for that right before the call only.
    - `others`: looks at the destination and the administrator of the transfer, where files go at once.
    - `began_at`: when what is stored was read, before the first of these answers was asked for. Nothing is called on
      facts or answers that are old by then.
    """

    look: base.Look
    looked_at: datetime
    used_at: datetime | None
    used_kind: str
    use_asked: bool
    use_later: bool
    unread: str
    came_back: bool
    back_later: bool
    others: Mapping[str, base.Look]
    began_at: datetime
