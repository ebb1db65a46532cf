"""An ONNX file that a stranger wrote: checked, then opened on the CPU alone."""

from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from google.protobuf.message import DecodeError, Message
from onnx.onnx_pb import TensorProto

from engine.folder import EngineError

MOST_BYTES = 256 * 1024**2
_FATAL = 4  # messages of the library are in its errors


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open the model.

    Raises:
        EngineError: it is too large, damaged, keeps numbers in other files, or needs
            what this engine does not have.
        MemoryError: it does not fit.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise EngineError(
            f"{path.name} has {size:,} bytes, more than {MOST_BYTES:,}; make it "
            "smaller, for example by quantization."
        )
    content = path.read_bytes()
    _check(content, path.name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep the largest batch for ever
    options.log_severity_level = _FATAL
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise failure(error, f"{path.name} cannot be opened") from error


def failure(error: Exception, what: str) -> Exception:
    """Return what to raise for an error of the library, whose kinds are many."""
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError) or "bad_alloc" in said or "allocat" in said:
        return MemoryError(said)
    shown = "".join(sign if sign.isprintable() else "?" for sign in said)[:300]
    return EngineError(f"{what}: {shown.rstrip('.')}.")


def _check(content: bytes, name: str) -> None:
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError as error:
        raise EngineError(f"{name} is damaged or not an ONNX model.") from error
    if not model.graph.node:
        raise EngineError(f"{name} is damaged or not an ONNX model.")
    if _has_external_data(model):
        raise EngineError(
            f"{name} keeps numbers in other files, which are never read; save it as "
            "one file."
        )


def _has_external_data(message: Message) -> bool:
    """Look at every tensor, wherever in the model it is."""
    waiting: list[Message] = [message]
    while waiting:
        found = waiting.pop()
        if isinstance(found, TensorProto):
            if found.data_location == TensorProto.EXTERNAL or found.external_data:
                return True
            continue
        for field, value in found.ListFields():
            if field.message_type is not None:
                waiting.extend(_messages(value))
    return False


def _messages(value: Any) -> list[Message]:
    return [value] if isinstance(value, Message) else list(value)
