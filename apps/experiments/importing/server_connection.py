"""Requests to a server of MLflow: bounded, repeated when that may help."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from apps.core.blobs import Readable
from apps.core.plain_yaml import UNSTORABLE
from apps.experiments.importing.records import Malformed, SourceGone, Unreadable

TIMEOUT_SECONDS = 120
LARGEST_ANSWER = 512 * 1024 * 1024
PAUSES_SECONDS = (1, 4, 15)  # before it is asked again
OK, ABSENT, TOO_MANY, BROKEN = 200, 404, 429, 500


class NotOffered(Unreadable):
    """The server has no such address."""


class ServerConnection:
    """The way to one server.

    Args:
        address: of the server, as in MLFLOW_TRACKING_URI.
        environment: holds MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and
            MLFLOW_TRACKING_PASSWORD, where the server wants to know who asks.
        pauses: seconds before each further try.

    Raises:
        Unreadable: the address is none, or holds a password.
    """

    def __init__(
        self,
        address: str,
        environment: Mapping[str, str],
        pauses: tuple[float, ...] = PAUSES_SECONDS,
    ):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreadable(f"{address} is no address of a server.")
        if "@" in parts.netloc:
            raise Unreadable(
                "Leave the password out of the address, which is kept. Set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead."
            )
        self.address = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        self._parts, self._pauses = parts, pauses
        self._above = parts.path.rstrip("/")
        self._headers = _authorization(environment)
        self._connection: HTTPConnection | None = None

    def ask(self, method: str, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a call of the API.

        Args:
            method: of HTTP.
            path: below the address of the server.
            fields: in the query of GET, else as a JSON object.

        Raises:
            Malformed: the answer is no JSON object.
            SourceGone: there is no server any more.
            Unreadable: no answer, or a refusal.
        """
        headers, body, address = dict(self._headers), None, f"{self._above}{path}"
        if method == "GET":
            address = f"{address}?{urlencode(fields)}"
        else:
            body = json.dumps(fields).encode()
            headers["Content-Type"] = "application/json"
        with self._answer(method, address, body, headers) as response:
            content = _CompleteAnswer(response, f"{self.address}{path}").read(
                LARGEST_ANSWER + 1
            )
        try:
            if len(content) > LARGEST_ANSWER:
                raise ValueError
            found = _storable(json.loads(content))
            if not isinstance(found, dict):
                raise ValueError  # as every other answer that is none
        except (ValueError, RecursionError) as error:
            raise Malformed(
                f"{self.address}{path} does not answer with JSON as MLflow does."
            ) from error
        return found

    def close(self) -> None:
        """End the connection; the next question opens another."""
        if self._connection:
            self._connection.close()
        self._connection = None

    @contextmanager
    def download(
        self, path: str, fields: Mapping[str, str], name: str
    ) -> Iterator[Readable]:
        """Give the content of a file.

        Args:
            path: below the address of the server.
            fields: in the query.
            name: of the file, for sentences about it.

        Raises:
            Unreadable: no answer, or a refusal; or it breaks off.
        """
        address = f"{self._above}{path}?{urlencode(fields)}"
        with self._answer("GET", address, None, self._headers) as response:
            yield _CompleteAnswer(response, name)

    @contextmanager
    def _answer(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        """Ask until there is an answer; leave the connection ready for the next."""
        response = self._persistent(method, address, body, headers)
        try:
            if response.status == ABSENT:
                raise NotOffered(self._refusal(response))
            if response.status != OK:
                raise Unreadable(self._refusal(response))
            yield response
        finally:
            if not response.isclosed():  # not read to its end
                self.close()

    def _persistent(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> HTTPResponse:
        for pause in (*self._pauses, None):
            try:
                response = self._once(method, address, body, headers)
                if response.status != TOO_MANY and response.status < BROKEN:
                    return response
                problem = Unreadable(self._refusal(response))
            except Unreadable as error:
                problem = error
            except (OSError, HTTPException) as error:
                problem = Unreadable(f"{self.address} does not answer: {error}")
            self.close()
            if pause is not None:
                time.sleep(pause)
        raise problem

    def _once(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> HTTPResponse:
        if self._connection is None or self._connection.sock is None:  # or closed there
            connection = _connection(self._parts.scheme, self._parts.netloc)
            try:
                connection.connect()
            except (OSError, HTTPException) as error:
                raise SourceGone(f"{self.address} does not answer: {error}") from error
            self._connection = connection
        self._connection.request(method, address, body, dict(headers))
        return self._connection.getresponse()

    def _refusal(self, response: HTTPResponse) -> str:
        text = (
            _CompleteAnswer(response, self.address).read(2_000).decode(errors="replace")
        )
        try:
            said = json.loads(text)
            text = str(said.get("message") or text)
        except (ValueError, AttributeError):
            text = text if response.status < BROKEN else ""
        return f"{self.address} answers {response.status}. {text[:300]}".strip()


def _storable(value: Any) -> Any:
    """Put a sign in place of what no text in the database can hold."""
    match value:
        case str():
            return UNSTORABLE.sub("\ufffd", value)
        case list():
            return [_storable(each) for each in value]
        case dict():
            return {_storable(key): _storable(each) for key, each in value.items()}
    return value


class _CompleteAnswer:
    """An answer that is told of when it breaks off."""

    def __init__(self, response: HTTPResponse, path: str):
        self._response, self._path = response, path

    def read(self, size: int, /) -> bytes:
        try:
            chunk = self._response.read(size)
        except (OSError, HTTPException) as error:
            raise Unreadable(f"{self._path} broke off: {error}") from error
        if len(chunk) < size and self._response.length:  # less than was announced
            raise Unreadable(f"{self._path} broke off.")
        return chunk


def _authorization(environment: Mapping[str, str]) -> dict[str, str]:
    if token := environment.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    name = environment.get("MLFLOW_TRACKING_USERNAME")
    if not name:
        return {}
    password = environment.get("MLFLOW_TRACKING_PASSWORD", "")
    pair = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _connection(scheme: str, netloc: str) -> HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(netloc, timeout=TIMEOUT_SECONDS, context=context)
    return HTTPConnection(netloc, timeout=TIMEOUT_SECONDS)
