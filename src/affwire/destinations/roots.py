"""The certificate authorities that receivers are checked against, as one file for libcurl.

An operator's own authority adds to the machine's and never replaces them: a private receiver beside public
platforms is the usual case.
"""

import ssl
import tempfile
from pathlib import Path
from typing import Final

_WELL_KNOWN: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


class Roots:
    """A bundle on disk: the machine's own file, or a temporary one that holds it and `ca_file` together.

    It is a file since libcurl keeps parsed authorities ready for files only; parsed anew they cost milliseconds each time.
    `path` is None if this machine has none: libcurl's own default then applies. Raises ValueError if `ca_file` is no PEM.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self.path = system_roots()
        self._joined = None
        if ca_file is not None:
            parts = [self.path.read_text()] if self.path else []
            self._joined = tempfile.NamedTemporaryFile(mode="w", suffix=".pem", prefix="affwire-roots-")  # noqa: SIM115 - until close
            self._joined.write("\n".join([*parts, _certificates(ca_file)]))
            self._joined.flush()
            self.path = Path(self._joined.name)

    def close(self) -> None:
        """Remove the temporary file, if one was made."""
        if self._joined:
            self._joined.close()


def system_roots() -> Path | None:
    """Return the machine's bundle: what OpenSSL is told (SSL_CERT_FILE counts), else the first well-known place."""
    told = ssl.get_default_verify_paths().cafile
    candidates = [told] if told else []
    return next((Path(path) for path in [*candidates, *_WELL_KNOWN] if Path(path).is_file()), None)


def _certificates(ca_file: Path) -> str:
    text = ca_file.read_text(encoding="utf-8", errors="replace")
    if "-----BEGIN CERTIFICATE-----" not in text and "-----BEGIN TRUSTED CERTIFICATE-----" not in text:
        raise ValueError(f"{ca_file} holds no certificate in PEM form")
    return text
