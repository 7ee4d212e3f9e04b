"""A hub behind TLS 1.3, as behind a province's proxy: what stands between the counting line and the hub.

It runs as a process of its own because its settings are OpenSSL's, those that docs/how-to/operate-the-hub.md
gives a proxy: sessions are remembered there, so that what a station carries of them is a number instead of a
sealed copy; one ticket a handshake; the one cipher every TLS 1.3 has, whose hashes are short.

The certificate is one of ECDSA P-256 signed by itself, made for the run: 0.4 kB. A public one comes with a
chain of two to four kilobytes, once for each full handshake; resumed handshakes carry none.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import os
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node import tls_context

HOST = "127.0.0.1"
CERTIFICATE, KEY, SETTINGS = "hub.pem", "hub.key", "openssl.cnf"
OPENSSL = """openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = default
[default]
Ciphersuites = TLS_AES_128_GCM_SHA256
NumTickets = 1
"""


class Front:
    """Ends TLS on `port` and passes plain bytes on to the hub. `trust`: what makes a station believe it."""

    def __init__(self, hub_port: int) -> None:
        self.hub_port = hub_port

    def __enter__(self) -> Front:
        self._folder = tempfile.TemporaryDirectory(prefix="loa-tls-")
        folder = Path(self._folder.name)
        _make(folder)
        (folder / SETTINGS).write_text(OPENSSL)
        self.trust = tls_context(str(folder / CERTIFICATE))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sim.bench.tls", str(folder), str(self.hub_port)],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OPENSSL_CONF": str(folder / SETTINGS)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)
        self._folder.cleanup()


async def serve(folder: Path, hub_port: int) -> None:
    """Until the process is ended. Prints the port it listens on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET
    context.load_cert_chain(folder / CERTIFICATE, folder / KEY)

    async def answer(near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        far, onward = await asyncio.open_connection(HOST, hub_port)
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(near, onward), _pump(far, out))

    server = await asyncio.start_server(answer, HOST, 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


def _make(folder: Path) -> None:
    """A certificate and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub.loa.invalid")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / KEY).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
