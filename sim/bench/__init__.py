"""What `loa sim bench` measures, on workloads stated here, with the floors of this machine in the same run.

    workload   acknowledgments and plans drawn from stated distributions
    setting    a real hub and real stations holding such a plan
    wire       bytes: by segment size, on the socket, idle, a station-day
    ingest     events a second through verify, decode, store and views, beside raw Ed25519 and raw SQLite
    sync       two ledgers over real HTTP, and over a slow line
    store      a station's own append and seal
    peers      NATS JetStream and mosquitto beside Loa, in the same run (peer, peer_*: each one's part)
    table      figures beside targets;  cli: the command

Machines are noisy: read ratios within one run, bytes and counts. Figures are printed, never asserted.
"""
