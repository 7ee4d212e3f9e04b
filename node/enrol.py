"""Enrolment at the station: from a printed one-time token to a key the hub knows.

The key is on disk before its public half leaves, so a power cut in between costs nothing: the next try uses
the same key and even the same request bytes, to which the hub gives the same reply. What comes back is
believed only under the token's own MAC: a false hub, or a portal that answers for it, cannot enrol the box.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.log import KEY_BYTES, NotAllowed, SigningKey, Store, Token, make_enrolment, read_enrolment_reply
from node.config import CONFIG_NAME, KEY_NAME, StationConfig, load_key, save_config, save_key

# The request under way: repeated byte for byte until its reply has arrived.
REQUEST_NAME: Final = "enrolment.request"


def begin(store: Store, token: str, *, entropy: Callable[[int], bytes], unit: str = "") -> bytes:
    """The request to post. token: as typed; unit: the expected unit, "" = whatever the token is bound to.

    Raises ProtocolError("token-form") and NotAllowed("already-enrolled").
    """
    if store.read(CONFIG_NAME) is not None:
        raise NotAllowed(
            "already-enrolled",
            "this folder already holds a station",
            hint="use another folder; one folder is one station with one history",
        )
    parsed = Token.parse(token)
    if store.read(KEY_NAME) is None:
        save_key(store, SigningKey.from_seed(entropy(KEY_BYTES)))
    request_name = f"{REQUEST_NAME}-{parsed.id.hex()}"
    request = store.read(request_name)
    if request is None:
        request = make_enrolment(parsed, load_key(store), unit=unit, nonce=entropy(8))
        store.write(request_name, request, private=True)
    return request


def finish(store: Store, request: bytes, reply: bytes, *, token: str, hub_url: str) -> StationConfig:
    """Writes station.toml: from now on this is a station. Raises ProtocolError: believe nothing."""
    parsed = Token.parse(token)
    enrolled = read_enrolment_reply(parsed, load_key(store), request, reply)
    config = StationConfig(
        unit=enrolled.unit,
        name=enrolled.name,
        hub_url=hub_url,
        hub_key=enrolled.hub.raw,
        roots=tuple(root.raw for root in enrolled.roots),
    )
    save_config(store, config)
    for name in store.names(REQUEST_NAME):
        store.delete(name)
    return config
