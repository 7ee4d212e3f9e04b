"""What a CAP 1.2 file says, as frozen values: every text as it stands there, every time as UTC s.

The closed lists are those of the standard (CAP-v1.2-os, §3.2). Bound: nothing is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"

STATUSES: Final = ("Actual", "Exercise", "System", "Test", "Draft")
MSG_TYPES: Final = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES: Final = ("Public", "Restricted", "Private")
CATEGORIES: Final = (
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire",
    "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
)  # fmt: skip
RESPONSES: Final = (
    "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None",
)  # fmt: skip
URGENCIES: Final = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES: Final = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES: Final = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")


@dataclass(frozen=True)
class Reference:
    """An earlier message that this one is about. sent: UTC s."""

    sender: str
    identifier: str
    sent: int


@dataclass(frozen=True)
class Area:
    """Where. shapes: how many polygons and circles it draws; without a map they are only counted."""

    desc: str
    geocodes: tuple[tuple[str, str], ...] = ()
    shapes: int = 0


@dataclass(frozen=True)
class Info:
    """One description of the event in one language. Times are UTC s, None where the file says none."""

    category: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    language: str = "en-US"  # the schema's default
    responses: tuple[str, ...] = ()
    event_codes: tuple[tuple[str, str], ...] = ()
    effective: int | None = None
    onset: int | None = None
    expires: int | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    resources: int = 0  # how many files it names; none is ever fetched
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True)
class Alert:
    """One message. sent: UTC s. enveloped: an XML signature stands in the file; nobody has checked it."""

    identifier: str
    sender: str
    sent: int
    status: str
    msg_type: str
    scope: str
    source: str = ""
    note: str = ""
    references: tuple[Reference, ...] = ()
    infos: tuple[Info, ...] = field(default=())
    enveloped: bool = False

    @property
    def reference(self) -> Reference:
        """How a later message names this one."""
        return Reference(self.sender, self.identifier, self.sent)
