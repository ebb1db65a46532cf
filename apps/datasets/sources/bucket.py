"""A bucket of S3-compatible object storage, or a part of one.

Who the portal is there stands in the environment, as for every program of AWS:
`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or a profile that the address names. A
right to list and to read is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, Any

from django.utils.module_loading import import_string

from apps.core.blobs import OnBytes
from apps.datasets.sources.places import (
    CHUNK_BYTES,
    PAGE_ENTRIES,
    Entry,
    Listing,
    SourceError,
    changed,
    file_parts_of,
    is_plain_name,
    parts_of,
)

WAIT_SECONDS = 20
_GONE = {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}
_FORBIDDEN = {"401", "403", "AccessDenied", "InvalidAccessKeyId"}
_CHANGED = {"412", "PreconditionFailed"}


@dataclass(frozen=True)
class BucketSource:
    """A source in object storage.

    Args:
        name: of the source.
        bucket: that holds the objects.
        prefix: what all their keys begin with, without slashes at its ends.
        options: `endpoint` (URL), `region` and `profile`, each if needed.
    """

    name: str
    bucket: str
    prefix: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def listing(self, folder: str, *, begins: str, after: str) -> Listing:
        """List what stands between two slashes of the keys as folders and files."""
        parts = parts_of(folder)
        above = "".join(f"{part}/" for part in self._key(parts))
        more = {"ContinuationToken": after} if after else {}
        with self._telling("The source"):
            found = self._client().list_objects_v2(
                Bucket=self.bucket,
                Prefix=above + begins,
                Delimiter="/",
                MaxKeys=PAGE_ENTRIES,
                **more,
            )
        entries = [
            *(_folder(each, above, parts) for each in found.get("CommonPrefixes", [])),
            *(_file(each, above, parts) for each in found.get("Contents", [])),
        ]
        shown = sorted(filter(None, entries), key=lambda entry: entry.name)
        return Listing(shown, found.get("NextContinuationToken", ""))

    def entry(self, path: str) -> Entry:
        """Describe one object."""
        parts = file_parts_of(path)
        found = self._head(parts)
        size, modified = found["ContentLength"], found["LastModified"]
        return Entry(parts[-1], path, size, modified)

    def copy(self, path: str, target: IO[bytes], on_bytes: OnBytes) -> None:
        """Copy one object, the same from the first byte to the last."""
        parts = file_parts_of(path)
        self.fetch(parts, self._head(parts), target, on_bytes)

    def fetch(
        self,
        parts: list[str],
        head: Mapping[str, Any],
        target: IO[bytes],
        on_bytes: OnBytes,
    ) -> None:
        """Copy the object as `head` described it, and no other.

        Raises:
            SourceError: it is another one by now, or cannot be read.
        """
        copied = 0
        with self._telling(parts[-1]):
            found = self._client().get_object(
                Bucket=self.bucket,
                Key="/".join(self._key(parts)),
                IfMatch=head["ETag"],
            )
            for chunk in found["Body"].iter_chunks(CHUNK_BYTES):
                target.write(chunk)
                copied += len(chunk)
                on_bytes(copied)
        if copied != head["ContentLength"]:
            raise changed(parts[-1])

    def _head(self, parts: list[str]) -> dict[str, Any]:
        with self._telling(parts[-1]):
            key = "/".join(self._key(parts))
            found: dict[str, Any] = self._client().head_object(
                Bucket=self.bucket, Key=key
            )
        return found

    def _key(self, parts: list[str]) -> list[str]:
        return [self.prefix, *parts] if self.prefix else parts

    def _client(self) -> Any:
        return _client(self.bucket, tuple(sorted(self.options.items())))

    @contextmanager
    def _telling(self, name: str) -> Iterator[None]:
        """Turn the words of object storage into ours."""
        refused = import_string("botocore.exceptions.ClientError")
        away = import_string("botocore.exceptions.BotoCoreError")
        try:
            yield
        except refused as error:
            code = error.response["Error"]["Code"]
            if code in _CHANGED:
                raise changed(name) from error
            raise SourceError(f"{name} {_reason(code)}.") from error
        except away as error:
            raise SourceError(
                "The object storage did not answer. Try again, or ask who keeps it."
            ) from error


def _reason(code: str) -> str:
    if code in _GONE:
        return "is not there (any more)"
    if code in _FORBIDDEN:
        return "cannot be read by the portal; ask who keeps the source"
    return f"cannot be read ({code})"


@lru_cache(maxsize=32)
def _client(bucket: str, options: tuple[tuple[str, str], ...]) -> Any:
    try:
        storage = import_string("storages.backends.s3.S3Storage")
        config = import_string("botocore.config.Config")
    except ImportError as error:
        raise SourceError(
            "This portal was installed without object storage; ask an administrator "
            "to install the extra s3."
        ) from error
    chosen = dict(options)
    return storage(
        bucket_name=bucket,
        endpoint_url=chosen.get("endpoint"),
        region_name=chosen.get("region"),
        session_profile=chosen.get("profile"),
        client_config=config(
            connect_timeout=WAIT_SECONDS,
            read_timeout=WAIT_SECONDS,
            retries={"max_attempts": 2},
            signature_version="s3v4",
        ),
    ).connection.meta.client


def _folder(found: dict[str, str], above: str, parts: list[str]) -> Entry | None:
    name = found["Prefix"].removeprefix(above).removesuffix("/")
    return Entry(name, "/".join([*parts, name])) if is_plain_name(name) else None


def _file(found: dict[str, Any], above: str, parts: list[str]) -> Entry | None:
    name = found["Key"].removeprefix(above)
    if not is_plain_name(name):  # a marker of the folder itself, or nothing to show
        return None
    path = "/".join([*parts, name])
    return Entry(name, path, found["Size"], found["LastModified"])
