"""Values of the environment that are more than a word."""

from django.core.exceptions import ImproperlyConfigured


def data_sources(entries: list[str]) -> dict[str, str]:
    """Read name=address; an address is a folder, or a part of a bucket.

    Raises:
        ImproperlyConfigured: an entry is neither.
    """
    sources = dict(entry.partition("=")[::2] for entry in entries)
    for name, address in sources.items():
        if not name.isidentifier() or not address.startswith(("/", "s3://")):
            raise ImproperlyConfigured(
                f"DATA_SOURCES holds {name}={address}; use name=/folder or "
                "name=s3://bucket/prefix, separated by commas."
            )
    return sources


def blob_storage(url: str) -> dict[str, object]:
    """Read where blobs are kept, as Django names a storage.

    Raises:
        ImproperlyConfigured: it is neither a folder nor a bucket.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": rest, "file_permissions_mode": 0o440},
        }
    if scheme == "s3":
        bucket, _, prefix = rest.partition("/")
        return {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": bucket,
                "location": prefix,
                "file_overwrite": False,
            },
        }
    raise ImproperlyConfigured(
        f"STORAGE_URL is {url!r}; use file:///folder or s3://bucket/prefix."
    )
