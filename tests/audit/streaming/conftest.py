import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from tests.audit.sealing import sealer_in


@pytest.fixture
def seal(committed, tmp_path, settings):
    """Seal what has happened."""
    sealer = sealer_in(tmp_path)
    settings.AUDIT_ORIGIN = sealer.signer.name

    def seal_everything() -> None:
        while sealer.seal():
            pass

    return seal_everything


@pytest.fixture
def streams(settings):
    """Set where the trail is sent."""

    def set_streams(*urls: str) -> None:
        settings.AUDIT_STREAMS = list(urls)

    return set_streams


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A server on 127.0.0.1 whose certificate this machine trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = timezone.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "tls.crt").write_bytes(made.public_bytes(pem))
    (tmp_path / "tls.key").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls.crt"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    return context
