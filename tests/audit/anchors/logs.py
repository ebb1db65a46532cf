"""A signed log in memory, large enough for every kind of anchor."""

from apps.audit.anchors.anchor import Statement
from apps.audit.transparency.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
)
from apps.audit.transparency.note import Signer, Verifier, open_note, sign_note
from apps.audit.transparency.tree import consistency_proof, root_at
from tests.audit.transparency.reference import root

ORIGIN = "log.example/audit/1"


class MemoryLog:
    """Bodies and a key; `grow` makes the next checkpoint."""

    def __init__(self, count=0, *, origin=ORIGIN, word=b"event", seed=bytes(32)):
        self.origin = origin
        self.word = word
        self.signer = Signer(Signer.generate(origin, seed))
        self.bodies = []
        self.notes = {}
        if count:
            self.grow(count)

    @property
    def keys(self):
        return [Verifier(self.signer.vkey)]

    def grow(self, count) -> Statement:
        size = len(self.bodies)
        self.bodies += [b"%s %d" % (self.word, size + one) for one in range(count)]
        size = len(self.bodies)
        stated = Checkpoint(self.origin, size, root_at(size, self._get_hash))
        self.notes[size] = sign_note(format_checkpoint(stated), [self.signer])
        return self.statement(size)

    def statement(self, size, *, last=0) -> Statement:
        return Statement(size, self.notes[size], last)

    def newest_size(self):
        return len(self.bodies)

    def note(self, size):
        return self.notes[size]

    def proof(self, old, new):
        return tuple(consistency_proof(old, new, self._get_hash))

    def opened(self, note):
        return parse_checkpoint(open_note(note, self.keys)[0])

    def _get_hash(self, level, index):
        return root(self.bodies[index << level : (index + 1) << level])
