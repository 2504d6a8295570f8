"""One file per database. An engine connects, locks, commits and wakes; every rule lives elsewhere."""
