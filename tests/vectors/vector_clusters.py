"""Receiver clusters: vectors of their states, and the 64 bytes that stations and receivers exchange."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from vector_parts import Json

KEY = bytes(range(0x40, 0x60))
OTHER_KEY = bytes(range(0x60, 0x80))
NONCE = bytes.fromhex("101112131415161718191a1b1c1d1e1f")[:8]
LIFE = bytes.fromhex("5a736e50ed75446b")
ITEM = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
NONE = bytes(16)
ORDER, ANSWER = bytes.fromhex("d74c4b01"), bytes.fromhex("d74c5201")
ORDER_FIELDS = ("word", "volume", "seq", "boot", "for_s", "item")
ANSWER_FIELDS = ("powered", "muted", "sounding", "volume", "seq", "since_s", "item")

# U unknown, N not reached, S silent, P playing, W wrong item.
STATES = [
    ("one that is out of reach", "N", "90"),
    ("one of twenty is out of reach, the seventh", "PPPPPPNPPPPPPPPPPPPP", "b52bba"),
    ("two of twenty are out of reach, the seventh and the last", "PPPPPPNPPPPPPPPPPPPN", "b52bb990"),
    ("a power cut: twenty unknown", "U" * 20, "8f83"),
    ("102 of which none answered", "N" * 102, "9f9f9f9f9f9f95"),
    ("a run of sixteen and one more", "S" * 17, "afa0"),
    ("three that are equal are no run", "NNNP", "1fb0"),
    ("four that are equal are one", "NNNNP", "93b0"),
    ("two at the end that differ", "PNWSP", "54a0b0"),
    ("every state once", "UNSPW", "07b0c0"),
    ("all five in disorder", "WPSNUWPSNU", "751d5680"),
]
BAD_STATES = [
    ("no bytes", "", "clusters-size"),
    ("65 bytes", "00" * 65, "clusters-size"),
    ("a byte between triples and runs", "7d", "clusters-byte"),
    ("the last byte before the runs", "7f", "clusters-byte"),
    ("a sixth state", "d0", "clusters-byte"),
    ("the last byte there is", "ff", "clusters-byte"),
    ("103 clusters", "9f9f9f9f9f9f96", "clusters-many"),
    ("1,024 clusters", "9f" * 64, "clusters-many"),
    ("twenty that agree", "bfb3", "clusters-agree"),
    ("three that agree, as a triple", "5d", "clusters-agree"),
    ("a run in two parts", "9190", "clusters-form"),
    ("a run of three before others", "92b0", "clusters-form"),
    ("four equal ones as a triple and one", "1f90", "clusters-form"),
    ("two at the beginning as runs, then a run", "90b0a3", "clusters-form"),
]


def mac(body: bytes, key: bytes = KEY, prefix: bytes = b"loa-clu/v1\0") -> bytes:
    return hmac.new(key, prefix + body, hashlib.sha256).digest()[:16]


def message(
    magic: bytes, word: int, volume: int, number: int = 7, *, nonce: bytes = NONCE, life: bytes = LIFE,
    seq: int = 0, item: bytes = NONE, seconds: int = 0, key: bytes = KEY, prefix: bytes = b"loa-clu/v1\0",
) -> bytes:  # fmt: skip
    """Spelled out, field by field."""
    body = magic + bytes((word, volume)) + number.to_bytes(2, "big") + nonce + life + seq.to_bytes(4, "big")
    body += item + seconds.to_bytes(4, "big")
    return body + mac(body, key, prefix)


def cluster_vectors() -> Json:
    ask = message(ORDER, 1, 0, life=bytes(8))
    begin = message(ORDER, 3, 80, seq=2, item=ITEM, seconds=960)
    playing = message(ANSWER, 0b101, 80, seq=2, item=ITEM, seconds=31)
    orders = [
        ("a question", ask, [1, 0, 0, "00" * 8, 0, "00" * 16]),
        (
            "switch on, for 80 seconds",
            message(ORDER, 2, 0, seq=1, seconds=80),
            [2, 0, 1, LIFE.hex(), 80, "00" * 16],
        ),
        ("begin, for 16 minutes at most", begin, [3, 80, 2, LIFE.hex(), 960, ITEM.hex()]),
        ("stop", message(ORDER, 4, 0, seq=3), [4, 0, 3, LIFE.hex(), 0, "00" * 16]),
        (
            "the last number of a life",
            message(ORDER, 4, 0, seq=2**32 - 1),
            [4, 0, 2**32 - 1, LIFE.hex(), 0, "00" * 16],
        ),
    ]
    bad_orders = [
        ("nothing", b"", "cluster-length"),
        ("a byte short", ask[:-1], "cluster-length"),
        ("a byte more", ask + b"\0", "cluster-length"),
        ("another version", message(ORDER[:3] + b"\2", 1, 0, life=bytes(8)), "cluster-magic"),
        ("an answer", playing, "cluster-magic"),
        ("another cluster's key", message(ORDER, 1, 0, life=bytes(8), key=OTHER_KEY), "cluster-mac"),
        (
            "made for another purpose",
            message(ORDER, 1, 0, life=bytes(8), prefix=b"loa-bell/v1\0"),
            "cluster-mac",
        ),
        ("a volume that was raised on the way", begin[:5] + b"\x64" + begin[6:], "cluster-mac"),
        ("volume 101", message(ORDER, 3, 101, seq=2, item=ITEM, seconds=9), "cluster-meaning"),
        ("cluster number 0", message(ORDER, 1, 0, 0, life=bytes(8)), "cluster-meaning"),
        ("a question with a volume", message(ORDER, 1, 80, life=bytes(8)), "cluster-meaning"),
        ("stop, with a volume", message(ORDER, 4, 80, seq=3), "cluster-meaning"),
        ("a word that there is not, with a volume above 100", message(ORDER, 5, 101, seq=1), "cluster-word"),
        ("a word that there is not", message(ORDER, 5, 0, seq=1), "cluster-word"),
        ("a question to one life", message(ORDER, 1, 0), "cluster-meaning"),
        ("an order to no life", message(ORDER, 4, 0, life=bytes(8), seq=3), "cluster-meaning"),
        ("an order without a number", message(ORDER, 4, 0), "cluster-meaning"),
        ("begin nothing", message(ORDER, 3, 80, seq=2, seconds=9), "cluster-meaning"),
        ("stop something", message(ORDER, 4, 0, seq=3, item=ITEM), "cluster-meaning"),
        ("stop for a while", message(ORDER, 4, 0, seq=3, seconds=9), "cluster-meaning"),
    ]
    answers = [
        ("playing for 31 seconds", playing, [True, False, True, 80, 2, 31, ITEM.hex()]),
        ("just switched on", message(ANSWER, 0, 0), [False, False, False, 0, 0, 0, "00" * 16]),
        (
            "it plays and its switch is off",
            message(ANSWER, 7, 80, seq=2, item=ITEM),
            [True, True, True, 80, 2, 0, ITEM.hex()],
        ),
        (
            "amplifier on, nothing sounds",
            message(ANSWER, 1, 0, seq=1, seconds=5),
            [True, False, False, 0, 1, 5, "00" * 16],
        ),
        (
            "for 136 years",
            message(ANSWER, 1, 100, seconds=2**32 - 1),
            [True, False, False, 100, 0, 2**32 - 1, "00" * 16],
        ),
    ]
    bad_answers = [
        ("nothing", b"", "cluster-length"),
        ("two at once", playing + playing, "cluster-length"),
        ("a question that came back", ask, "cluster-magic"),
        ("another cluster's key", message(ANSWER, 1, 0, key=OTHER_KEY), "cluster-mac"),
        ("another cluster's number on the way", playing[:7] + b"\x08" + playing[8:], "cluster-mac"),
        ("volume 255", message(ANSWER, 1, 255), "cluster-meaning"),
        ("cluster number 0", message(ANSWER, 1, 0, 0), "cluster-meaning"),
        ("a flag that there is not", message(ANSWER, 8, 0), "cluster-meaning"),
        ("no life", message(ANSWER, 1, 0, life=bytes(8)), "cluster-meaning"),
        ("it sounds, and nothing", message(ANSWER, 5, 80), "cluster-meaning"),
        ("it is still, and sounds something", message(ANSWER, 1, 80, item=ITEM), "cluster-meaning"),
    ]
    return {
        "about": "States, one letter for each cluster: U unknown, N not reached, S silent, P playing, W "
        "wrong item. `order_` and `answer_`: messages under `key` for cluster 7, with the nonce.",
        "key": KEY.hex(),
        "nonce": NONCE.hex(),
        "number": 7,
        "accepts": [{"name": name, "states": states, "vector": raw} for name, states, raw in STATES],
        "rejects": [{"name": name, "vector": raw, "code": code} for name, raw, code in BAD_STATES],
        "order_accepts": [_named(ORDER_FIELDS, *one) for one in orders],
        "order_rejects": [{"name": n, "message": m.hex(), "code": code} for n, m, code in bad_orders],
        "answer_accepts": [_named(ANSWER_FIELDS, *one) for one in answers],
        "answer_rejects": [{"name": n, "message": m.hex(), "code": code} for n, m, code in bad_answers],
    }


def _named(names: tuple[str, ...], name: str, raw: bytes, values: list[Any]) -> dict[str, Any]:
    return {"name": name, "message": raw.hex(), **dict(zip(names, values, strict=True))}
