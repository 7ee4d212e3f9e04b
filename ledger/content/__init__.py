"""What people hand in to be said and shown, made fit to be approved: clean words, checked sound, a manifest.

The same at a hub and at a commune's station, so that what one accepts the other does too.
"""

from ledger.content.categories import CATEGORIES
from ledger.content.composing import (
    Composed,
    Part,
    Relay,
    Upload,
    compose,
    read_manifest,
    read_relay,
    read_text,
    sounding_s,
)
from ledger.content.loudness import Levelled, Leveller, leveller
from ledger.content.papers import PAPER_BYTES_MAX, PICTURE_BYTES_MAX, paper_type, picture_type
from ledger.content.pdf_text import PDF, PLAIN, PdfReader, document_text, pdf_reader
from ledger.content.sounds import DURATION_MS_MAX, DURATION_MS_MIN, sound_kind
from ledger.content.text_index import TEXTS_DB, TextIndex
from ledger.content.texts import accept_line, accept_text, folded
from ledger.content.voice import Voice, voice

__all__ = [
    "CATEGORIES",
    "DURATION_MS_MAX",
    "DURATION_MS_MIN",
    "PAPER_BYTES_MAX",
    "PDF",
    "PICTURE_BYTES_MAX",
    "PLAIN",
    "TEXTS_DB",
    "Composed",
    "Levelled",
    "Leveller",
    "Part",
    "PdfReader",
    "Relay",
    "TextIndex",
    "Upload",
    "Voice",
    "accept_line",
    "accept_text",
    "compose",
    "document_text",
    "folded",
    "leveller",
    "paper_type",
    "picture_type",
    "pdf_reader",
    "read_manifest",
    "read_relay",
    "read_text",
    "sound_kind",
    "sounding_s",
    "voice",
]
