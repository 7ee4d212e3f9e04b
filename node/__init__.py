"""A commune's radio station: plays what was approved, when it may, and signs what became of it.

    station = Station(config, store, clock, courier, player, entropy=os.urandom, rng=random.Random())
    wait_s = station.tick()

Everything happens in `tick`; what the machine gives (time, network, sound, disk) comes in through the ports.
The names below are loaded when first used, so that a command that needs little starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.log import PlayerError, TransportError
    from node.clock import Clock, Confidence, Now, SystemClock, TempoClock, TrustedTime
    from node.clusters.bringing import Line, LineDriver
    from node.clusters.driver import ClusterDriver, Said, Sound
    from node.clusters.lines import Lines, UdpLine
    from node.clusters.listing import ClusterEntry, clusters_toml, load_clusters, read_clusters
    from node.clusters.wire import ClusterAnswer, ClusterOrder, OrderWord
    from node.config import StationConfig, load_config, load_key, save_config, save_key
    from node.enrol import begin, finish
    from node.link.bounded import tls_context
    from node.link.courier import Courier, Done, FetchJob, InlineCourier, Job, SyncJob, ThreadCourier
    from node.link.doorbell import Doorbell, Habits
    from node.link.transport import Begun, HttpTransport, HubBusy, Limits, Meter, Transport
    from node.plays import PlayRow, Plays
    from node.sound.player import NullPlayer, Player, PlayItem, PlayReport
    from node.station import Station
    from node.status import Live, Status

_ROOMS = {
    "ledger.log": ("PlayerError", "TransportError"),
    "node.link.bounded": ("tls_context",),
    "node.clock": ("Clock", "Confidence", "Now", "SystemClock", "TempoClock", "TrustedTime"),
    "node.clusters.driver": ("ClusterDriver", "Said", "Sound"),
    "node.clusters.lines": ("Lines", "UdpLine"),
    "node.clusters.bringing": ("Line", "LineDriver"),
    "node.clusters.listing": ("ClusterEntry", "clusters_toml", "load_clusters", "read_clusters"),
    "node.clusters.wire": ("ClusterAnswer", "ClusterOrder", "OrderWord"),
    "node.config": ("StationConfig", "load_config", "load_key", "save_config", "save_key"),
    "node.link.courier": ("Courier", "Done", "FetchJob", "InlineCourier", "Job", "SyncJob", "ThreadCourier"),
    "node.link.doorbell": ("Doorbell", "Habits"),
    "node.enrol": ("begin", "finish"),
    "node.sound.player": ("NullPlayer", "PlayItem", "PlayReport", "Player"),
    "node.plays": ("PlayRow", "Plays"),
    "node.station": ("Station",),
    "node.status": ("Live", "Status"),
    "node.link.transport": ("Begun", "HttpTransport", "HubBusy", "Limits", "Meter", "Transport"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Begun",
    "Clock",
    "ClusterAnswer",
    "ClusterDriver",
    "ClusterEntry",
    "ClusterOrder",
    "Confidence",
    "Courier",
    "Done",
    "Doorbell",
    "FetchJob",
    "Habits",
    "HttpTransport",
    "HubBusy",
    "InlineCourier",
    "Job",
    "Limits",
    "Line",
    "LineDriver",
    "Lines",
    "Live",
    "Meter",
    "Now",
    "NullPlayer",
    "OrderWord",
    "PlayItem",
    "PlayReport",
    "PlayRow",
    "Player",
    "PlayerError",
    "Plays",
    "Said",
    "Sound",
    "Station",
    "StationConfig",
    "Status",
    "SyncJob",
    "SystemClock",
    "TempoClock",
    "ThreadCourier",
    "Transport",
    "TransportError",
    "TrustedTime",
    "UdpLine",
    "begin",
    "clusters_toml",
    "finish",
    "load_clusters",
    "load_config",
    "load_key",
    "read_clusters",
    "save_config",
    "save_key",
    "tls_context",
]


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(room), name)
