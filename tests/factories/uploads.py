"""Files on their way in, as programs and browsers send them."""

import base64

from apps.datasets import actions
from apps.datasets.models import Upload

CONTENT = b"species,speed\nGull,140\nHawk,90\n"


def begun(project, by, content: bytes = CONTENT, **wish) -> Upload:
    """An upload of which nothing has come."""
    wish = {"file_name": "rows.csv", "name": "new", **wish}
    if wish.get("dataset"):
        wish["name"] = ""
    asked = actions.UploadWish(size_bytes=len(content), **wish)
    return actions.start_upload(project=project, wish=asked, by=by)


def received(project, by, content: bytes = CONTENT, **wish) -> Upload:
    """An upload of which everything has come."""
    upload = begun(project, by, content, **wish)
    return actions.append_chunk(upload=upload, offset=0, content=content, by=by)


def metadata(**told: str) -> str:
    """Write Upload-Metadata as the protocol has it."""
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in told.items()
    )


def start_headers(content: bytes = CONTENT, **told: str) -> dict[str, str]:
    """The headers that begin an upload."""
    told = {"filename": "rows.csv", **told}
    return {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(content)),
        "Upload-Metadata": metadata(**told),
    }


def chunk_headers(offset: int, **more: str) -> dict[str, str]:
    """The headers of a chunk."""
    return {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), **more}
