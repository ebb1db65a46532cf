"""What differs between two records of a training, and what of it can be the cause."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.environment import PACKAGES
from engine.folder import Json
from engine.run_code import PROJECT

Kind = Literal[
    "data", "seed", "spec", "code", "package", "hardware", "system", "nondeterminism"
]
MOST_NAMED = 5
_SYSTEM = {
    "python": "Python",
    "python_build": "the build of Python",
    "implementation": "the implementation of Python",
    "libc": "the C library",
    "system": "the operating system",
    "platform": "the kernel",
}
_PROCESSOR = {"machine": "the architecture", "threads": "the number of threads"}


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was.

    Attributes:
        kind: what sort of thing.
        sentence: what changed, as a clause without a full stop.
        names: the parts that differ, all of them.
        can_cause: whether it can have changed the result.
    """

    kind: Kind
    sentence: str
    names: list[str] = field(default_factory=list)
    can_cause: bool = True


def differences(expected: Json, found: Json, groups: list[str]) -> list[Difference]:
    """List what differs in what went in, the likeliest cause first.

    Args:
        expected: the record of the first training.
        found: the record of the second.
        groups: which rows of the data differ, in words; empty when that is unknown.
    """
    return [
        *_data(expected, found, groups),
        *_spec(expected["spec"], found["spec"]),
        *_code(expected["code"], found["code"]),
        *_packages(expected["environment"], found["environment"]),
        *_hardware(expected["environment"], found["environment"]),
        *_system(expected["environment"], found["environment"]),
    ]


def first_step(expected: Json, found: Json) -> str | None:
    """Name the first step whose digest differs, if one does."""
    steps = {step["step"]: step["digest"] for step in found["steps"]}
    for step in expected["steps"]:
        if steps.get(step["step"]) != step["digest"]:
            return str(step["step"])
    return None


def changed_groups(expected: Any, found: Any) -> list[str]:
    """Say which rows differ between two fingerprints of a dataset.

    Args:
        expected: a fingerprint with `row_groups` and `columns`, or `None`.
        found: the fingerprint of the other data.
    """
    if not expected or not found:
        return []
    old, new = expected["row_groups"], found["row_groups"]
    changed = [
        f"rows {group['first_row']:,} to {group['first_row'] + group['rows'] - 1:,}"
        for group, other in zip(old, new, strict=False)
        if group["digest"] != other["digest"]
    ]
    if expected["rows"] != found["rows"]:
        changed.append(f"{expected['rows']:,} rows became {found['rows']:,}")
    return changed


def named(names: list[str]) -> str:
    """Join the first few names, and count the rest."""
    rest = len(names) - MOST_NAMED
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown


def _data(expected: Json, found: Json, groups: list[str]) -> Iterator[Difference]:
    names = _changed(expected["inputs"], found["inputs"])
    if PROJECT in names:
        names.remove(PROJECT)
        yield Difference("code", "the code of the project changed", [PROJECT])
    if not names:
        return
    # What the model does not look at may change without reaching it.
    reached = first_step(expected, found) == "data"
    where = f": {named(groups)}" if groups else f" ({named(names)})"
    yield Difference("data", f"the data changed{where}", groups or names, reached)


def _spec(expected: Json, found: Json) -> Iterator[Difference]:
    names = [name for name in _changed(expected, found) if name != "limits"]
    if "seed" in names:
        names.remove("seed")
        change = f"from {expected['seed']} to {found['seed']}"
        yield Difference("seed", f"the seed changed {change}", ["seed"])
    if names:
        sentence = f"the training was asked for differently: {named(names)}"
        yield Difference("spec", sentence, names)


def _code(expected: Json, found: Json) -> Iterator[Difference]:
    if expected["digest"] == found["digest"]:
        return
    names = _changed(expected["files"], found["files"])
    change = ""
    if expected["version"] != found["version"]:
        change = f" from version {expected['version']} to {found['version']}"
    where = f" in {named(names)}" if names else ""
    yield Difference("code", f"the engine's code changed{change}{where}", names)


def _packages(expected: Json, found: Json) -> Iterator[Difference]:
    old, new = (
        {package["name"]: package for package in one["lock"]}
        for one in (expected, found)
    )
    names = sorted(_changed(old, new), key=lambda name: (name not in PACKAGES, name))
    if names:
        said = [_package(name, old.get(name), new.get(name)) for name in names]
        yield Difference("package", f"packages changed: {named(said)}", said)


def _package(name: str, old: Json | None, new: Json | None) -> str:
    if old is None or new is None:
        return f"{name} ({'added' if old is None else 'removed'})"
    if old["version"] != new["version"]:
        return f"{name} {old['version']} → {new['version']}"
    return f"{name} {old['version']} (other files)"


def _hardware(expected: Json, found: Json) -> Iterator[Difference]:
    names = [
        f"{title} ({expected[key]} → {found[key]})"
        for key, title in _PROCESSOR.items()
        if expected.get(key) != found.get(key)
    ]
    old, new = expected["cpu"], found["cpu"]
    if old["model"] != new["model"]:
        names.append(f"the processor ({old['model']} → {new['model']})")
    elif old["flags"] != new["flags"]:
        names.append(f"the instructions of the processor ({old['model']})")
    names += [
        f"the setting {name}"
        for name in _changed(expected["thread_settings"], found["thread_settings"])
    ]
    names += _libraries(expected["libraries"], found["libraries"])
    if names:
        sentence = f"hardware or thread settings changed: {named(names)}"
        yield Difference("hardware", sentence, names)


def _libraries(old: list[Json], new: list[Json]) -> list[str]:
    before, after = ({one["file"]: one for one in found} for found in (old, new))
    return [f"the library {name}" for name in _changed(before, after)]


def _system(expected: Json, found: Json) -> Iterator[Difference]:
    names = [
        f"{title} ({expected.get(key)} → {found.get(key)})"
        for key, title in _SYSTEM.items()
        if expected.get(key) != found.get(key)
    ]
    if names:
        # A kernel alone computes nothing.
        matters = any(not name.startswith("the kernel") for name in names)
        yield Difference(
            "system", f"the system changed: {named(names)}", names, matters
        )


def _changed(old: Json, new: Json) -> list[str]:
    """List the keys whose values differ, or that only one of both has."""
    return sorted(
        key for key in old.keys() | new.keys() if old.get(key) != new.get(key)
    )
