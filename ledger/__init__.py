"""The ground floor: signed, append-only logs, and the facts of commune radio they hold. Imports none of ours.

    log        the signed log: bytes in, bytes out; knows nothing of radio
    facts      the vocabulary, who may sign what, what plays when; knows nothing of bytes on a wire
    recorder   the door by which the `eventsourcing` library saves aggregates into a ledger
    tempo      accelerated time, for demonstrations with real processes
    spoken     Vietnamese text as a speaker reads it, for the voice and for the line “đọc thành: …”
    kernel     whether the machine's clock is kept by NTP
    service    what a process tells systemd, and the words of a unit
    cli        the auditor: `loa ledger …`

Two ledgers meet by bytes alone; how the bytes travel is somebody else's business:

    >>> from ledger.log import Ledger, MemoryStore, SigningKey, accept_reply, answer, encode, make_request
    >>> day = 1_667_955_600
    >>> def ledger(seed: bytes) -> Ledger:
    ...     store = MemoryStore()
    ...     return Ledger(store.open_db("ledger.db"), entropy=lambda count: seed * count, now=lambda: day)
    >>> box, box_key = ledger(b"b"), SigningKey.from_seed(b"b" * 32)
    >>> hub, hub_key = ledger(b"h"), SigningKey.from_seed(b"h" * 32)
    >>> hub.trust(box_key.verify_key)
    >>> box.append(box_key, encode((4096, day, "Xin chào")))
    >>> request = make_request(box, box_key, nonce=bytes(8), now=day)
    >>> reply = answer(hub, hub_key, request, now=day, audiences_of=lambda key_id: ()).reply
    >>> accepted = accept_reply(box, box_key, hub_key.verify_key, request, reply)
    >>> [stored.segment.head.key_id == box_key.key_id for stored in hub.since(0)]
    [True, False]

The second segment is the hub's own: its signed note of what arrived, and when.

    >>> hub.verify().failed
    0
"""
