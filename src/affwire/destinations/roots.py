"""The certificate authorities that receivers are checked against, as one file for libcurl.

An operator's own authority adds to the machine's and never replaces them: a private receiver beside public
platforms is the usual case.
"""

import os
import ssl
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_WELL_KNOWN: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


_DESCRIPTORS: Final = Path("/proc/self/fd")
_NAMELESS: Final = hasattr(os, "memfd_create")
"""Linux alone has files in memory that a path can open."""
BUNDLE: Final = "ca-bundle.pem"
"""The file's name in its folder: a fixed one, so that what a killed process left is replaced and nothing piles up."""


class Roots:
    """A bundle in a file: the machine's own file, or, given a `ca_file`, one in `folder` that holds both.

    It is a file since libcurl keeps parsed authorities ready for files only; parsed anew they cost milliseconds each
    time. Without a folder it has no name, and goes with the process whatever ends it; only where a system has no such
    files it lies in a private temporary folder. `path` is None if the machine has no authorities: libcurl's own default
    then applies. Raises ValueError if `ca_file` is no readable PEM file, OSError if the folder takes no file.
    """

    def __init__(self, ca_file: Path | None = None, folder: Path | None = None) -> None:
        self.path = system_roots()
        self._end = ExitStack()
        if ca_file is not None:
            parts = [_read(self.path)] if self.path else []
            text = b"\n".join([*parts, _certificates(ca_file)])
            nameless = folder is None and _NAMELESS and _DESCRIPTORS.is_dir()
            self.path = self._nameless(text) if nameless else self._kept(folder, text)

    def close(self) -> None:
        """Remove the bundle, if one was made."""
        self._end.close()

    def _kept(self, folder: Path | None, text: bytes) -> Path:
        folder = folder or Path(self._end.enter_context(TemporaryDirectory(prefix="affwire-")))
        path = _write(folder.absolute() / BUNDLE, text)
        self._end.callback(path.unlink, missing_ok=True)
        return path

    def _nameless(self, text: bytes) -> Path:
        file = self._end.enter_context(os.fdopen(os.memfd_create("affwire-roots"), "wb"))
        file.write(text)
        file.flush()
        return _DESCRIPTORS / str(file.fileno())


def system_roots() -> Path | None:
    """Return the machine's bundle: what OpenSSL is told (SSL_CERT_FILE counts), else the first well-known place."""
    told = ssl.get_default_verify_paths().cafile
    candidates = [told] if told else []
    return next((Path(path) for path in [*candidates, *_WELL_KNOWN] if Path(path).is_file()), None)


def _certificates(ca_file: Path) -> bytes:
    text = _read(ca_file)
    if b"-----BEGIN CERTIFICATE-----" not in text and b"-----BEGIN TRUSTED CERTIFICATE-----" not in text:
        raise ValueError(f"{ca_file} holds no certificate in PEM form")
    return text


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, text: bytes) -> Path:
    """Put a file in its place at once and whole, for its owner alone; return its path."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    return new.replace(path)
