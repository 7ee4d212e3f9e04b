"""What people hand in to be said and shown, made fit to be approved: clean words, checked sound, a manifest.

The same at a hub and at a commune's station, so that what one accepts the other does too.
"""

from ledger.content.categories import CATEGORIES
from ledger.content.composing import Composed, Relay, Upload, compose, read_manifest, read_relay, read_text
from ledger.content.loudness import Levelled, Leveller, leveller
from ledger.content.sounds import DURATION_MS_MAX, DURATION_MS_MIN, sound_kind
from ledger.content.texts import accept_line, accept_text, folded

__all__ = [
    "CATEGORIES",
    "DURATION_MS_MAX",
    "DURATION_MS_MIN",
    "Composed",
    "Levelled",
    "Leveller",
    "Relay",
    "Upload",
    "accept_line",
    "accept_text",
    "compose",
    "folded",
    "leveller",
    "read_manifest",
    "read_relay",
    "read_text",
    "sound_kind",
]
