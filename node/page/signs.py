"""What a station knows of itself, gathered for `trouble` and for the screen of its state.

Bound: looks; judges nothing.
"""

from __future__ import annotations

from ledger.facts import Detail, Outcome, local_day
from ledger.log import Blobs
from node.contents import Contents
from node.page.dayplan import lines_of
from node.page.office import Office
from node.page.trouble import SOON_S, Signs


def signs_of(office: Office) -> Signs:
    """As the station knows them now."""
    station, moment = office.station, office.now()
    status = station.status()
    assert status.live is not None
    day = local_day(moment.utc_s)
    rows = station.plays.of_day(day) if moment.trusted else []
    registered = station.facts.stations.get(office.unit)
    people = [row for row in office.people.rows() if row.enabled and row.pub is not None]
    question = office.visit.question()
    contents = Contents(Blobs(station.store), station.config.language)
    soon = [
        line.title
        for line in (lines_of(office, day) if moment.trusted and status.live.missing else [])
        if line.to_play
        and 0 <= line.slot.start_s - moment.utc_s <= SOON_S
        and not contents.is_ready(line.slot.manifest)
    ]
    return Signs(
        confidence=moment.confidence,
        waits_for_word=question is not None and bool(question.orders),
        player=status.live.player,
        ceiling=status.live.ceiling,
        silent_today=sum(
            row.outcome is Outcome.SILENT or (row.outcome is Outcome.MISSED and row.detail is Detail.DEVICE)
            for row in rows
        ),
        missed_power=sum(row.outcome is Outcome.MISSED and row.detail is Detail.POWER for row in rows),
        missing_soon=tuple(soon),
        missing=status.live.missing,
        disk_free=station.store.free_bytes(),
        hub_age_s=moment.utc_s - status.sync_ok_s if status.sync_ok_s else None,
        hub_failures=status.live.failures,
        unreceipted=status.unreceipted_logs,
        volume=station.config.volume,
        people=len(people),
        wishes_open=tuple(row.name for row in people if not office.rights(row.key_id)),
        is_fm=registered is not None and registered.fact.kind == "fm",
    )
