"""Writes the golden vectors: `python -m affwire.testing.vectors [folder]`, beside this file if none is named.

The same code writes the same bytes.
"""

import sys
from base64 import b64encode
from pathlib import Path
from typing import Final

from affwire.errors import NotGenuine, Undecodable
from affwire.receiving import Received, receive
from affwire.testing.vectors import Vector, dump
from affwire.testing.vectors.cases import Case, cases
from affwire.testing.vectors.proofs import PROOFS

_VERDICTS: Final[dict[type[object], str]] = {
    Received: "genuine",
    NotGenuine: "not_genuine",
    Undecodable: "undecodable",
}


def vectors(dialect: str) -> tuple[Vector, ...]:
    """Return a dialect's vectors. Raises ValueError if the reader's verdict on one is not the case's own."""
    return tuple(_vector(dialect, case) for case in cases(dialect))


def _vector(dialect: str, case: Case) -> Vector:
    found = judged(dialect, case)
    verdict = _VERDICTS[type(found)]
    if verdict != case.verdict:
        raise ValueError(f"{dialect}, {case.name!r}: must be {case.verdict}, and the reader says {verdict}: {found}")
    says = found if isinstance(found, Received) else None
    return Vector(
        dialect=dialect,
        name=case.name,
        headers=list(case.headers),
        body_base64=b64encode(case.body).decode(),
        secrets=list(case.secrets),
        now=case.now * 1000,
        options=case.options,
        verdict=case.verdict,
        reason=None if isinstance(found, Received) else found.code,
        word=says.word if says else None,
        event=says.event if says else None,
        dedupe_key=says.dedupe_key if says else None,
        unread=list(says.unread) if says else [],
    )


def judged(dialect: str, case: Case) -> Received | NotGenuine | Undecodable:
    """Return what `receive` makes of a case."""
    try:
        return receive(dialect, case.headers, case.body, case.secrets, case.now * 1000, options=case.options)
    except (NotGenuine, Undecodable) as error:
        return error


def main(folder: Path) -> None:
    """Write every dialect's file into the folder."""
    for dialect in PROOFS:
        folder.joinpath(f"{dialect}.json").write_bytes(dump(dialect, vectors(dialect)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
