"""Servers of other people, on this machine: a witness, a log host, an authority."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from apps.audit.transparency.cosignature import Cosigner
from apps.audit.transparency.note import InvalidNote
from apps.audit.transparency.tree import InvalidProof
from apps.audit.transparency.witness import (
    SIZE_TYPE,
    InvalidSubmission,
    OtherSize,
    examine,
    origin_of,
    parse_submission,
)

WITNESS = "witness.example/w1"


def cosigner(name=WITNESS, number=9) -> Cosigner:
    return Cosigner(Cosigner.generate(name, bytes([number]) * 32))


class HttpPlace:
    """An HTTP server in a thread; `answer` is what it does with a request."""

    def __init__(self):
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                place.requests.append((self.path, self.headers["Content-Type"], body))
                status, kind, answer = place.answer(body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                """Be silent."""

        self.requests = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def answer(self, body: bytes) -> tuple[int, str, bytes]:
        raise NotImplementedError

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class WitnessPlace(HttpPlace):
    """A witness as C2SP tlog-witness describes it."""

    def __init__(self, logs: dict[str, list]):
        super().__init__()
        self.logs = logs
        self.held = {}
        self.cosigner = cosigner()

    @property
    def address(self):
        return f"witness+http://127.0.0.1:{self.port}/audit#{self.cosigner.vkey}"

    def answer(self, body):
        try:
            submission = parse_submission(body.decode())
            origin = origin_of(submission)
            if origin not in self.logs:
                return 404, "text/plain", b""
            held = self.held.get(origin)
            stated = examine(submission, self.logs[origin], held)
        except InvalidNote:
            return 403, "text/plain", b""
        except InvalidSubmission:
            return 400, "text/plain", b""
        except OtherSize as conflict:
            return 409, SIZE_TYPE, b"%d\n" % conflict.size
        except InvalidProof:
            return 422, "text/plain", b""
        self.held[origin] = stated
        text = submission.note.rpartition("\n\n")[0] + "\n"
        return 200, "text/plain", self.cosigner.cosign(text).encode()


class AuthorityPlace(HttpPlace):
    """A time-stamping authority with a certificate authority of its own."""

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder
        make_authority(folder)

    @property
    def address(self):
        return f"tsa+http://127.0.0.1:{self.port}/tsr#{self.folder / 'ca.pem'}"

    def answer(self, body):
        (self.folder / "query").write_bytes(body)
        openssl("ts -reply -config tsa.cnf -queryfile query -out reply", self.folder)
        return 200, "application/timestamp-reply", (self.folder / "reply").read_bytes()


AUTHORITY_CONFIGURATION = """
[tsa]
default_tsa = main
[main]
dir = .
serial = ./serial
signer_cert = ./tsa.pem
signer_key = ./tsa.key
certs = ./ca.pem
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[extensions]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
"""


def make_authority(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "tsa.cnf").write_text(AUTHORITY_CONFIGURATION)
    (folder / "serial").write_text("01\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    openssl(f"req -x509 {key} -keyout ca.key -out ca.pem -days 9 -subj /CN=CA", folder)
    openssl(f"req {key} -keyout tsa.key -out tsa.csr -subj /CN=TSA", folder)
    openssl(
        "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 "
        "-extfile tsa.cnf -extensions extensions -out tsa.pem",
        folder,
    )


def openssl(arguments: str, folder: Path) -> None:
    subprocess.run(
        ["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True
    )


class Listener:
    """Keeps what comes in on a socket."""

    def __init__(self, kind: socket.SocketKind, address=("127.0.0.1", 0)):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._socket = socket.socket(family, kind)
        self._socket.bind(address)
        self._is_stream = kind == socket.SOCK_STREAM
        if self._is_stream:
            self._socket.listen()
        self._socket.settimeout(10)

    @property
    def port(self):
        return self._socket.getsockname()[1]

    def next(self) -> bytes:
        if not self._is_stream:
            return self._socket.recv(65_535)
        connection, _ = self._socket.accept()
        with connection:
            connection.settimeout(10)
            return b"".join(iter(lambda: connection.recv(4096), b""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
