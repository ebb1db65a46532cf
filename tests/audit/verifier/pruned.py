"""Trails of which segments were archived and pruned, with segments as large as real."""

import io
import json
from copy import copy
from hashlib import sha256

from apps.audit.transparency.archive import Archive, write_archive
from apps.audit.transparency.pruning import (
    SEGMENT_LEAVES,
    Pruned,
    kept_ranges,
    segment_leaves,
    segment_proof,
    segment_root,
)
from apps.audit.transparency.tiles import hashes_in
from tests.audit.transparency.exports import Log, body, canonical


class PrunedTrail:
    """A log that tells of the pruning of some of its segments.

    Attributes:
        log: all that was ever sealed.
        archives: the file of each of these segments.
    """

    def __init__(self, events, archived, tell=None):
        tell = tell or agreement
        earlier = Log(events)
        self.archives = {one: archive_of(earlier, one) for one in archived}
        told = [
            event
            for number, archive in self.archives.items()
            for event in tell(facts_of(earlier, number, archive))
        ]
        self.log = Log([*events, *told, launched(1), launched(2)])

    def exported(self, folder, gone, **options):
        """Unpack an export from which these segments are gone."""
        pruned = [self.pruned(number) for number in gone]
        size, left = len(self.log.events), copy(self.log)
        left.events = [
            self.log.events[index]
            for span in kept_ranges(size, pruned)
            for index in span
        ]
        note = self.log.checkpoint()
        return left.exported(folder, note=note, pruned=pruned, **options)

    def pruned(self, number):
        span = segment_leaves(number)
        digest = sha256(self.archives[number]).hexdigest()
        return Pruned(span.start, span.stop - 1, digest)


def numbered(count):
    return [canonical({"n": number}) for number in range(count)]


def launched(number):
    """Write an event with all that a filter asks."""
    rest = {"object": {"id": "x"}, "outcome": "success", "scope": {"project": ""}}
    return body(number, **rest)


def archive_of(log, number):
    span, get_hash = segment_leaves(number), hashes_in(log.read_tile)
    target = io.BytesIO()
    archive = Archive(
        span=span,
        bodies=log.events[span.start : span.stop],
        payloads=(),
        read_tile=log.read_tile,
        root=segment_root(span, get_hash),
        note=log.checkpoint(),
        proof=segment_proof(span, len(log.events), get_hash),
    )
    write_archive(target, archive)
    return target.getvalue()


def facts_of(log, number, archive):
    span = segment_leaves(number)
    return {
        "first_leaf": span.start,
        "last_leaf": span.stop - 1,
        "root": segment_root(span, hashes_in(log.read_tile)).hex(),
        "sha256": sha256(archive).hexdigest(),
    }


def told(action, facts, *, request="r1"):
    facts = facts if action == "segment_archived" else facts | {"request": request}
    changes = [{"name": name, "value": value} for name, value in facts.items()]
    return body(0, action=f"audit.{action}", changes=changes)


def agreement(facts):
    steps = ("segment_archived", "prune_requested", "prune_approved", "segment_pruned")
    return [told(step, facts, request=str(facts["first_leaf"])) for step in steps]


def stated(*segments, least):
    """Write `pruned.json` as an attacker would."""
    facts = {"minimum_index": least, "segments": list(segments)}
    return canonical(facts) + "\n"


def segment_facts(number, digest):
    first = number * SEGMENT_LEAVES
    last = first + SEGMENT_LEAVES - 1
    return {"archive_sha256": digest, "first_leaf": first, "last_leaf": last}


def read_json(path):
    return json.loads(path.read_text())
