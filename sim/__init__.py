"""The simulator: the real hub and real stations in virtual time, or as real processes, with faults on purpose.

One process, one agenda, one seed (`loa sim run`): `run.run(Setting(seed=1, stations=20))` plays a province and
returns a `Report`. Every fault is a keyed roll, so a failing run replays bit for bit and can be made smaller.
Real processes in accelerated time: `loa sim demo`.

    scenarios   which places, what is broadcast        clock, power, link, courier, players   our end of each port
    workload    what the officers do                   site, headquarters                     a station's and the hub's lives
    faults      keyed chance and rates                 world, mishaps                         who does what when
    oracle      what really happened                   checkers, planted                      what must hold; bugs they must see
    report      the figures, from the ledger alone     run, cli                               one run; the command
"""
