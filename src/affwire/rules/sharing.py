"""Who may send next when not everybody can: dealt like cards, so that nobody's backlog is another's delay."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

BEHIND: Final = 0.25
"""Of an endpoint's places, what those behind the first class may have, and of that again what those behind the second.

New events so pass any backlog of old ones, which yet gets smaller all the time.
"""


def turns(owners: Mapping[str, str], busy: Mapping[str, int]) -> Iterator[str]:
    """Yield endpoints in turn over the organizations (`owners`: endpoint -> organization), each once.

    Within an organization the least `busy` (deliveries under way) first, and among those in the order of `owners`, so
    that who has waited longest is named first.
    """
    queues = _queues(owners, busy)
    while queues:
        queue = queues.popleft()
        yield queue.popleft()
        if queue:
            queues.append(queue)


def share(limit: int, owners: Mapping[str, str], busy: Mapping[str, int], room: Callable[[str], int]) -> dict[str, int]:
    """Return how many deliveries each endpoint may send of `limit` free places, at most its `room`.

    Dealt one at a time: in the order of `turns`, and again in turn as long as there is room. Nothing is left undealt while
    anybody has room. Each is asked for its room once, and only if its turn comes.
    """
    hands: dict[str, int] = {}
    rooms: dict[str, int] = {}
    queues = _queues(owners, busy)
    while limit > 0 and queues:
        queue = queues.popleft()
        endpoint = queue.popleft()
        if endpoint not in rooms:
            rooms[endpoint] = room(endpoint)
        if hands.get(endpoint, 0) < rooms[endpoint]:
            hands[endpoint] = hands.get(endpoint, 0) + 1
            limit -= 1
            queue.append(endpoint)
            queues.append(queue)
        elif queue:
            queues.appendleft(queue)
    return hands


def places(limit: int, waiting: Sequence[int], roll: float) -> list[int]:
    """Return how many of an endpoint's places each class gets, of those that wait in each, the first class first.

    A class leaves to those behind it what BEHIND says, if they can use it; `roll` in [0, 1) decides on the fraction, so
    that it holds in the long run for an endpoint with a single place, too.
    """
    found, left = [], limit
    for number, count in enumerate(waiting, 1):
        kept = min(int(limit * BEHIND**number + roll), sum(waiting[number:]))
        found.append(min(count, left - kept))
        left -= found[-1]
    return found


def _queues(owners: Mapping[str, str], busy: Mapping[str, int]) -> deque[deque[str]]:
    queues: dict[str, deque[str]] = {}
    for endpoint in sorted(owners, key=lambda name: busy.get(name, 0)):
        queues.setdefault(owners[endpoint], deque()).append(endpoint)
    return deque(queues.values())
