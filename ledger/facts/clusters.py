"""What the receiver clusters of a station did with a slot: one state each, in few bytes and in one way only.

A station has about twenty clusters (cụm loa) and at most 102. Their states travel within the acknowledgment
of the slot, in the order of the station's latest listing (`ClustersListed`). Mostly all of them agree, and
then nothing travels at all; else stretches of equal states are a byte each, and disorder packs three clusters
into a byte, so that 102 clusters fit into 35 bytes however they differ.

A vector that cannot be read says nothing of the clusters and leaves the rest of its acknowledgment as it is.

Bound: bytes, states and words. Which state a cluster gets is the station's judgement (`node.clusters.slots`);
which names belong to a vector is whoever reads the logs in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ledger.facts.commune import CLUSTERS_MAX
from ledger.facts.outcome import Outcome
from ledger.log.errors import CodecError

VECTOR_BYTES_MAX: Final = 64
RUN: Final = 0x80
RUN_MAX: Final = 16
TRIPLE: Final = 3


class Cluster(IntEnum):
    """What one cluster did while the slot sounded."""

    UNKNOWN = 0
    NOT_REACHED = 1
    SILENT = 2
    PLAYING = 3
    WRONG_ITEM = 4

    def say(self, lang: str = "vi") -> str:
        """The words in Vietnamese (`vi`) or English (anything else)."""
        return _WORDS[self][lang != "vi"]


_WORDS: Final[dict[Cluster, tuple[str, str]]] = {
    Cluster.UNKNOWN: ("chưa rõ", "unknown"),
    Cluster.NOT_REACHED: ("không trả lời", "no answer"),
    Cluster.SILENT: ("có điện nhưng im tiếng", "powered but silent"),
    Cluster.PLAYING: ("đã phát", "playing"),
    Cluster.WRONG_ITEM: ("phát nội dung khác", "playing something else"),
}
# Worst first: what a reader must see before the rest.
_ORDER: Final = (Cluster.WRONG_ITEM, Cluster.NOT_REACHED, Cluster.SILENT, Cluster.UNKNOWN)
_STATES: Final = len(Cluster)
_TRIPLES: Final = _STATES**TRIPLE  # 125 of the 128 bytes below RUN

# Outcomes of slots of which something sounded at the station: only of these do clusters say anything.
CLUSTER_OUTCOMES: Final = frozenset(
    {Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED, Outcome.SILENT}
)


def pack_clusters(states: Sequence[Cluster]) -> bytes | None:
    """The vector of an acknowledgment; None when every one of them was playing, or there is none.

    Raises ValueError for more than 102.
    """
    if len(states) > CLUSTERS_MAX:
        raise ValueError(f"{len(states)} clusters, not at most {CLUSTERS_MAX}")
    if all(state is Cluster.PLAYING for state in states):
        return None
    return _packed(states)


def unpack_clusters(vector: bytes) -> tuple[Cluster, ...]:
    """The states in a vector that is not nil. Raises CodecError with a code of docs/spec/clusters.md."""
    if not 1 <= len(vector) <= VECTOR_BYTES_MAX:
        raise CodecError("clusters-size", f"1 to {VECTOR_BYTES_MAX} bytes, not {len(vector)}")
    states: list[Cluster] = []
    for byte in vector:
        if byte >= RUN:
            state, more = byte >> 4 & 0x07, byte & 0x0F
            if state >= _STATES:
                raise CodecError("clusters-byte", f"{byte:02x} names a state that there is not")
            states += [Cluster(state)] * (more + 1)
        elif byte < _TRIPLES:
            first, rest = divmod(byte, _STATES * _STATES)
            states += [Cluster(first), *map(Cluster, divmod(rest, _STATES))]
        else:
            raise CodecError("clusters-byte", f"{byte:02x} is no byte of a vector")
    if len(states) > CLUSTERS_MAX:
        raise CodecError("clusters-many", f"{len(states)} clusters, not at most {CLUSTERS_MAX}")
    if all(state is Cluster.PLAYING for state in states):
        raise CodecError("clusters-agree", "all were playing: then the vector is nil")
    if _packed(states) != vector:
        raise CodecError("clusters-form", "the same states have another form")
    return tuple(states)


def _packed(states: Sequence[Cluster]) -> bytes:
    out = bytearray()
    at = 0
    while at < len(states):
        run = 1
        while run < RUN_MAX and at + run < len(states) and states[at + run] == states[at]:
            run += 1
        if run > TRIPLE or len(states) - at < TRIPLE:
            out.append(RUN | states[at] << 4 | run - 1)
            at += run
        else:
            first, second, third = states[at : at + TRIPLE]
            out.append((first * _STATES + second) * _STATES + third)
            at += TRIPLE
    return bytes(out)


@dataclass(frozen=True)
class ClusterReport:
    """A slot's clusters with their names. readable: False for a vector in no known form (no states)."""

    states: tuple[Cluster, ...]
    names: tuple[str, ...]
    readable: bool = True

    @property
    def playing(self) -> int:
        return self.states.count(Cluster.PLAYING)

    @property
    def agree(self) -> bool:
        """True when every cluster was playing."""
        return self.readable and self.playing == len(self.states)

    def names_of(self, state: Cluster) -> list[str]:
        """Names of those in this state; a number where the listing has no name for it."""
        return [self._name(nth) for nth, one in enumerate(self.states) if one is state]

    def apart(self) -> list[tuple[Cluster, list[str]]]:
        """States other than playing that occur, worst first, with the names."""
        return [(state, names) for state in _ORDER if (names := self.names_of(state))]

    def head(self, lang: str = "vi") -> str:
        """The count: `18/20 cụm loa đã phát`."""
        vi = lang == "vi"
        if not self.readable:
            return "phần cụm loa không đọc được" if vi else "what it says of the clusters cannot be read"
        count = f"{self.playing}/{len(self.states)}"
        return f"{count} cụm loa đã phát" if vi else f"{count} receiver clusters playing"

    def say(self, lang: str = "vi") -> str:
        """One sentence: `18/20 cụm loa đã phát; không trả lời: Bản Xa, Bản Lủ`."""
        apart = (f"{state.say(lang)}: {', '.join(who)}" for state, who in self.apart())
        return "; ".join([self.head(lang), *apart])

    def _name(self, nth: int) -> str:
        return self.names[nth] if nth < len(self.names) else f"#{nth + 1}"


def cluster_report(vector: bytes | None, outcome: int, names: Sequence[str]) -> ClusterReport | None:
    """What an acknowledgment says of the clusters, or None when it says nothing.

    names: of the listing in force, empty when there is none. Never raises.
    """
    if vector is None:
        if not names or outcome not in CLUSTER_OUTCOMES:
            return None
        return ClusterReport((Cluster.PLAYING,) * len(names), tuple(names))
    try:
        return ClusterReport(unpack_clusters(vector), tuple(names))
    except CodecError:
        return ClusterReport((), tuple(names), readable=False)


def listed_names(names: str) -> tuple[str, ...]:
    """The clusters of a `ClustersListed`, in order; at most 102 whatever the text holds."""
    return tuple(names.split("\n")[:CLUSTERS_MAX]) if names else ()
