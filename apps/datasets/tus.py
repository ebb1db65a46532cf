"""What the headers of the tus protocol say.

Source: tus.io/protocols/resumable-upload, version 1.0.0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.http import UnreadablePostError

from apps.core.errors import Invalid, PortalError
from apps.datasets.actions import UploadWish
from apps.datasets.sealing import seal_in

if TYPE_CHECKING:
    from django.http import HttpRequest

    from apps.datasets.models import Dataset

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,termination,expiration"
CHECKSUMS = {
    "sha256": hashlib.sha256,
    # Asked for by the protocol; it guards against broken wires, not against people.
    "sha1": lambda content: hashlib.sha1(content, usedforsecurity=False),
}
LONGEST_NUMBER = 18  # digits, so that it fits a column

# What is read of the metadata, and what clients add of their own accord.
OF_A_FILE = {"filename", "sha256", "lastmodified"}
OF_A_DATASET = {"name", "title", "description"}
OF_A_SEAL = {"seal_method", "seal_ratio", "seal_column", "seal_seed"}
NOT_ASKED_FOR = {"filetype", "type", "relativePath"}

Headers = Mapping[str, str]


class ChecksumMismatch(PortalError):
    """The chunk is not what the sender meant to send."""

    status = 460  # the protocol's own
    code = "checksum_mismatch"


def wish_in(headers: Headers, dataset: Dataset | None) -> UploadWish:
    """Read what somebody is about to send; a wish that is not known is not dropped.

    Raises:
        Invalid: a header cannot be read, or asks for what there is not.
    """
    told = _metadata_in(headers.get("Upload-Metadata", ""))
    known = OF_A_FILE | OF_A_DATASET | OF_A_SEAL | NOT_ASKED_FOR
    if unknown := told.keys() - known:
        sentence = "An upload cannot be told this; leave it out."
        raise Invalid(sentence, fields={key[:60]: sentence for key in sorted(unknown)})
    modified = told.get("lastmodified", "")
    return UploadWish(
        file_name=told.get("filename", ""),
        size_bytes=number_in(headers, "Upload-Length"),
        sha256=told.get("sha256", ""),
        file_modified_ms=_whole_number(modified, "lastmodified") if modified else None,
        dataset=dataset,
        name="" if dataset else told.get("name", ""),
        title="" if dataset else told.get("title", ""),
        description="" if dataset else told.get("description", ""),
        seal=seal_in(told),
    )


def _metadata_in(header: str) -> dict[str, str]:
    told = {}
    for pair in filter(None, map(str.strip, header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            told[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            sentence = "Upload-Metadata has keys, each with UTF-8 text in Base64."
            raise Invalid(sentence, fields={key[:60]: "Not Base64."}) from error
        if "\0" in told[key]:
            sentence = "No text may hold a NUL character; remove it."
            raise Invalid(sentence, fields={key[:60]: sentence})
    return told


def number_in(headers: Headers, name: str) -> int:
    """Read a whole number.

    Raises:
        Invalid: it is none, or missing.
    """
    return _whole_number(headers.get(name, ""), name)


def _whole_number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER):
        sentence = f"{name} must be a whole number of at most 18 digits."
        raise Invalid(sentence, fields={name: sentence})
    return int(text)


def chunk_in(request: HttpRequest) -> bytes:
    """Read the body; of one that broke off, what came, unless it has a checksum.

    Raises:
        ChecksumMismatch: the body is another than its checksum says.
        Invalid: its length is missing, or nothing could be read.
        PortalError: the checksum is none.
    """
    length = number_in(request.headers, "Content-Length")
    try:
        content: bytes = request.read(length)
    except UnreadablePostError as error:
        raise Invalid("The connection broke; go on at Upload-Offset.") from error
    _check(content, request.headers.get("Upload-Checksum"))
    return content


def _check(content: bytes, checksum: str | None) -> None:
    if checksum is None:
        return
    algorithm, _, expected = checksum.partition(" ")
    if algorithm not in CHECKSUMS:
        names = " or ".join(CHECKSUMS)
        raise PortalError(f"Upload-Checksum takes {names}, a space, then Base64.")
    found = base64.b64encode(CHECKSUMS[algorithm](content).digest()).decode()
    if not hmac.compare_digest(found.encode(), expected.strip().encode()):
        raise ChecksumMismatch(
            "The chunk is not what its checksum says; nothing of it was kept. Send it "
            "again."
        )
