"""One broadcast day with real processes, in accelerated time: `loa sim demo`.

    cli         options, the summary, the exit code
    conductor   order and timing of the whole day
    day         what is said when, and how fast the clock runs (data: `demo_day.toml`)
    site        founds the hub, enrols stations, starts boxes
    crowd       the stations without a process of their own
    office      an officer at the hub's own forms; staff: what the officers do on the day
    faults      what breaks when
    pace        slows the clock for a slow machine
    watch       reads the hub's ledger as it grows
    view news   the live table, and the words
    sound       recordings and chimes to upload

It is a shell throughout: threads, sleeps and files of one machine. What breaks lines and keeps processes
(`sim.proxy`, `sim.processes`, `sim.tempo`) is beside it, for anybody's use.
"""
