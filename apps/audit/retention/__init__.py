"""How long the trail is kept: archives of old segments, holds, and what is removed.

A segment is a run of neighbouring leaves that fills whole tiles of the tree. It is
archived first, then two people agree, and only then is it removed; one hash of it
stays, by which the archive and everything after it can still be proved.
"""
