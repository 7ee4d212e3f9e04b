"""CAP 1.2 (OASIS Common Alerting Protocol): emergencies as files that other warning systems write and read.

    values    what a file says, nothing judged       mapping    kinds and levels, ours and CAP's
    reading   bytes → values, or a refusal           proposing  values → what fills the form in
    writing   an order or an all-clear → bytes       senders    whose signature stands beside a file
    handed    what was handed in before, and which orders a reference means

A file never orders anything. It fills in the emergency form, and a person decides with their password.

Bound: no page and no command line; no decision is signed here.
"""
