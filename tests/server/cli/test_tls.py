"""`serve` speaking HTTPS by itself: certificates, what is refused, and who never finishes the handshake."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.server import READY, Installation
from tillkey_server.cli import connections
from tillkey_server.cli.connections import Server, configured, tls_context

PUBLIC = "https://licenses.example.com"


def certified(folder, passphrase=None):
    """Write a certificate for this machine and its key into a folder; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    today = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return cert_path, key_path


def environment(cert, key):
    return {"TILLKEY_TLS_CERT": str(cert), "TILLKEY_TLS_KEY": str(key)}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return Installation(tmp_path_factory.mktemp("tls") / "data").init(examples=False).data_dir


def test_the_server_speaks_https_and_says_where_tills_reach_it(data_dir, tmp_path):
    cert, key = certified(tmp_path)
    installation = Installation(
        data_dir, environment={**environment(cert, key), "TILLKEY_PUBLIC_URL": PUBLIC}, warm=True
    )
    with installation.serving() as server:
        assert f"{READY}https://127.0.0.1:" in server.log
        assert f"Tills reach it at {PUBLIC}" in server.log
        answer = httpx.get(
            f"https://127.0.0.1:{server.port}/healthz", verify=ssl.create_default_context(cafile=cert), trust_env=False
        )
        assert answer.json() == {"status": "alive"}
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{server.port}/healthz", trust_env=False)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda cert, key: cert.unlink(), "TILLKEY_TLS_CERT"),
        (lambda cert, key: key.unlink(), "TILLKEY_TLS_KEY"),
        (lambda cert, key: cert.write_text("nonsense"), "no PEM certificate with its key"),
        (lambda cert, key: key.write_text("nonsense"), "no PEM certificate with its key"),
        (lambda cert, key: certified(key.parent, b"a passphrase"), "locked by a passphrase"),
    ],
)
def test_a_certificate_that_cannot_be_used_keeps_the_server_from_starting(data_dir, tmp_path, spoil, named):
    cert, key = certified(tmp_path)
    spoil(cert, key)
    result = Installation(data_dir, environment=environment(cert, key), warm=True).run("serve", "--port", "0")
    assert (result.exit_code, named in result.stderr) == (2, True), result.stderr


async def test_who_never_finishes_the_handshake_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    ready = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = configured(None, stop_seconds=1, tls=tls_context(*certified(tmp_path)))
        config.lifespan = "off"
        server = Server(config, lambda _server: ready.set())
        serving = asyncio.create_task(server.serve([listener]))
        await ready.wait()
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        server.should_exit = True
        await serving
