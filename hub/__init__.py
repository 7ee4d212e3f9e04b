"""The provincial hub: where people decide and stations report.

`found` makes one, `Hub` runs it: `commands` (what people do), `queries` (what they see), `sync` and `enrol`
(what stations send). Whoever drives it brings the clock, the randomness and the store. Web pages:
`hub.web`.
"""

from hub.accounts import Officer
from hub.config import DEMO_ACCOUNTS, KDF_CHEAP, KDF_STRONG, HubConfig, KdfCost, Overload, load_config
from hub.hub import Hub, found, seed_demo_accounts
from hub.media import Upload
from hub.reporting import ask_for, report, report_at
from hub.ringing import doorbell_of

__all__ = [
    "DEMO_ACCOUNTS",
    "KDF_CHEAP",
    "KDF_STRONG",
    "Hub",
    "HubConfig",
    "KdfCost",
    "Officer",
    "Overload",
    "Upload",
    "ask_for",
    "doorbell_of",
    "found",
    "load_config",
    "report",
    "report_at",
    "seed_demo_accounts",
]
