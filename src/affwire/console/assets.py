"""The stylesheet, the script and the icon: read once, named by their digest, so that a browser may keep them for a year."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from starlette.responses import Response

PREFIX: Final = "/static/"
_FOLDER: Final = Path(__file__).parent / "static"
_KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Assets:
    """Files by name, and the digest over all of them."""

    digest: str
    files: dict[str, bytes]

    @classmethod
    def load(cls) -> Self:
        """Read them."""
        files = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _KINDS}
        return cls(sha256(b"".join(files.values())).hexdigest()[:16], files)

    def url(self, name: str) -> str:
        """Return the address of a file; KeyError if there is none."""
        assert name in self.files, name  # noqa: S101 -- a template names a file that is not there
        return f"{PREFIX}{self.digest}/{name}"

    def answer(self, path: str) -> Response | None:
        """Return the file at a path under PREFIX; None if there is none. Another version's address gets today's, unkept."""
        digest, _, name = path.removeprefix(PREFIX).partition("/")
        body = self.files.get(name)
        if body is None:
            return None
        kept = _FOR_EVER if digest == self.digest else "no-store"
        return Response(body, media_type=_KINDS[Path(name).suffix], headers={"Cache-Control": kept})
