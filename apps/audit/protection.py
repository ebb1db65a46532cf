"""Which protections of the trail are active in the database, asked of itself.

A protection is what the database does by itself: refuse to edit, remove and empty what
is recorded, and keep each process to the rights it needs. With one role for everything
the triggers still refuse, but whoever takes over a process could remove them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.db import connection

from apps.audit import guards, powers
from apps.audit.grants import role_names

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS: Final = 60
known: dict[str, tuple[float, ProtectionStatus]] = {}  # by connection, and since when
OWNER: Final = (
    "This portal connects as the owner of the tables: whoever takes over the web "
    "process could switch the protection off. Changes to what is sealed still show."
)
OTHER: Final = (
    "The portal may do more in the database than it needs. An administrator of the "
    "database runs protect_audit_trail again, or takes the rights away."
)


@dataclass(frozen=True)
class Protection:
    """One thing that keeps the trail from being changed in the database.

    Args:
        name: what holds while it is active.
        gap: what is possible because it is missing; empty while it is active.
        is_alarm: every installation has it, so somebody took it away.
    """

    name: str
    gap: str = ""
    is_alarm: bool = False


@dataclass(frozen=True)
class ProtectionStatus:
    """What is active and what is missing for the process that asks."""

    protections: tuple[Protection, ...]

    @property
    def active(self) -> list[Protection]:
        """What holds."""
        return [one for one in self.protections if not one.gap]

    @property
    def missing(self) -> list[Protection]:
        """What does not."""
        return [one for one in self.protections if one.gap]

    @property
    def alarm(self) -> str:
        """Say what somebody took away; empty when nothing."""
        return " ".join(one.gap for one in self.missing if one.is_alarm)

    @property
    def lead(self) -> str:
        """Say what it means that some protections are missing."""
        missing = {one.name for one in self.missing}
        return OWNER if powers.NOT_OWNER in missing else OTHER

    @property
    def word(self) -> str:
        """Say ok, partial (roles are not separate) or alarm in one word."""
        if self.alarm:
            return "alarm"
        return "partial" if self.missing else "ok"


def protection_status() -> ProtectionStatus:
    """Tell which protections are active, as they were at most a minute ago."""
    now = time.monotonic()
    examined_at, status = known.get(connection.alias, (now, None))
    if status is None or now - examined_at > REMEMBERED_SECONDS:
        status = examine()
        known[connection.alias] = now, status
        if status.alarm:
            logger.error("%s", status.alarm)
    return status


def health() -> str:
    """Say in a word how the trail is protected; the sentences are for auditors."""
    return protection_status().word


def tell() -> None:
    """Say in the log what is missing, when a process starts."""
    for one in protection_status().missing:
        if not one.is_alarm:  # that was said already
            logger.warning("%s", one.gap)


def examine() -> ProtectionStatus:
    """Ask the catalog of the database, and try what must be refused."""
    return ProtectionStatus((_tables(), _attempts(), *_of_role(powers.current_role())))


def gaps_of_all_roles() -> list[str]:
    """List what is missing for any process, as the owner of the tables sees it."""
    gaps = [_tables().gap]
    for role in dict.fromkeys(role_names().values()):
        if powers.exists(role):
            gaps += [one.gap for one in _of_role(role)]
            gaps.append(powers.lacks(role))
        else:
            gaps.append(f"The role {role} does not exist: run protect_audit_trail.")
    return [gap for gap in gaps if gap]


def _tables() -> Protection:
    return Protection(
        "The tables of the trail refuse to be edited, cut or emptied, whoever asks.",
        " ".join(guards.flaws()),
        is_alarm=True,
    )


def _attempts() -> Protection:
    obeyed = guards.obeyed()
    return Protection(
        "An attempt to edit and to remove, which would touch no row, was refused.",
        f"The database would obey: {'; '.join(obeyed)}." if obeyed else "",
        is_alarm=True,
    )


def _of_role(role: str) -> list[Protection]:
    return [Protection(name, gap) for name, gap in powers.powers_of(role)]
