"""The simulator: the real hub and real stations in virtual time, or as real processes, faults on purpose.

One process, one agenda, one seed (`loa sim run`): `run.run(Setting(seed=1, stations=20))` plays a province
and returns a `Report`. Every fault is a keyed roll, so a failing run replays bit for bit and can be made
smaller. Real processes in accelerated time: `loa sim demo`.

    scenarios      which places, and what is broadcast there
    clock power    our ends of the product's ports: time, disk,
    link courier   line,
    players        loudspeaker
    site           a station's card and its lives; headquarters: the hub's
    workload       what the officers do, also what they must not
    faults         keyed chance, and how often; mishaps: when power goes and old images come back
    world          all of it on one agenda
    oracle         what really happened; checkers: what must hold; planted: bugs they must see
    report         the figures, from the ledger alone
    run cli        one run, and the command
"""
