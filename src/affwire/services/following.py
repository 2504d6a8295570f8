"""Following: rows of the queue that stand as was decided about all that waits for an endpoint, a piece at a time."""

from affwire.store.following import PIECE
from affwire.store.tx import Tx


def step(tx: Tx, *, limit: int = PIECE) -> bool:
    """Have up to `limit` rows follow; return whether there may be more. One process at a time does it for all.

    What is to become of them is read under the endpoint's lock, so that it is the latest that was decided.
    """
    marks = tx.following.some() if tx.only_one("following") else []
    if not marks:
        return False
    chosen = marks[int(tx.world.roll() * len(marks))]
    endpoint = tx.registry.endpoints([chosen.endpoint_id]).get(chosen.endpoint_id)
    if endpoint is not None:
        tx.hold(endpoint.organization_id)
    tx.following.own(chosen.endpoint_id)
    mark = tx.following.again(chosen)
    if mark is not None:
        tx.following.move(mark, now=tx.now, limit=limit)
    return True
