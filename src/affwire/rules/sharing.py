"""Who may send next when not everybody can: dealt like cards, so that nobody's backlog is another's delay."""

from collections import deque
from collections.abc import Mapping


def share(limit: int, rooms: Mapping[str, int], owners: Mapping[str, str], busy: Mapping[str, int]) -> dict[str, int]:
    """Return how many deliveries each endpoint may send of `limit` free places, at most its room.

    Dealt one at a time, in turn over the organizations (`owners`: endpoint -> organization) and within each over its
    endpoints: the least `busy` (deliveries under way) first, and among those in the order of `rooms`, so that who has
    waited longest is named first. Nothing is left undealt while anybody has room.
    """
    hands = {endpoint: 0 for endpoint, room in rooms.items() if room > 0}
    turns = _turns(hands, owners, busy)
    while limit > 0 and turns:
        queue = turns.popleft()
        endpoint = queue.popleft()
        hands[endpoint] += 1
        limit -= 1
        if hands[endpoint] < rooms[endpoint]:
            queue.append(endpoint)
        if queue:
            turns.append(queue)
    return {endpoint: count for endpoint, count in hands.items() if count}


def _turns(hands: Mapping[str, int], owners: Mapping[str, str], busy: Mapping[str, int]) -> deque[deque[str]]:
    queues: dict[str, deque[str]] = {}
    for endpoint in sorted(hands, key=lambda name: busy.get(name, 0)):
        queues.setdefault(owners[endpoint], deque()).append(endpoint)
    return deque(queues.values())
