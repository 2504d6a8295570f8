"""The cases, in the order in which they run. `ANY` are for every system; `OWN` look into affwire itself."""

from collections.abc import Callable, Mapping

from stage import Stage

from cases import (
    accept,
    backlog,
    burst,
    commit,
    console,
    dead,
    drain,
    fanout,
    idle,
    inbox,
    isolation,
    kill,
    latency,
    normalise,
    pending,
    postgres,
    retries,
    slow,
    workers,
)

Case = Callable[[Stage], None]

ANY: Mapping[str, Case] = {
    "accept": accept.run,
    "latency": latency.run,
    "idle": idle.run,
    "backlog": backlog.run,
    "slow": slow.run,
    "fanout": fanout.run,
    "dead": dead.run,
    "isolation": isolation.run,
    "retries": retries.run,
    "kill": kill.run,
}
OWN: Mapping[str, Case] = {
    "burst": burst.run,
    "drain": drain.run,
    "commit": commit.run,
    "pending": pending.run,
    "postgres": postgres.run,
    "workers": workers.run,
    "inbox": inbox.run,
    "normalise": normalise.run,
    "console": console.run,
}
