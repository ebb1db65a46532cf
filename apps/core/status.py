"""How states look: five kinds, and the kind of every state the portal stores."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a status means to the reader, whatever it is called."""

    NEUTRAL = "neutral"
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


_STATES_BY_KIND: Final = {
    Kind.NEUTRAL: "draft retired cancelled superseded withdrawn not_tested archived",
    Kind.INFO: "queued running processing submitted in_review validated open "
    "within_tolerance in_progress confirmed scheduled",
    Kind.SUCCESS: "approved delivered deployed succeeded ready passed signed active "
    "met closed identical finished",
    Kind.WARNING: "stale suspended cancelling expired waiting pending warned lapsed "
    "changes_requested waived declared killed",
    Kind.ERROR: "rejected failed refused breached different data_damaged data_missing "
    "revoked missing",
}

KIND_OF_STATE: Final[dict[str, Kind]] = {
    state: kind for kind, states in _STATES_BY_KIND.items() for state in states.split()
}
