"""Places where a file is wrong, gathered so that one look shows all of them."""

from collections.abc import Sequence

from engine.folder import MOST_DETAILS, EngineError, Json
from engine.profile.hints import masked_if_personal

LONGEST_QUOTE = 200


class Problems:
    """What is wrong with a file: the first places of each kind, and how many."""

    def __init__(self) -> None:
        self.count = 0
        self._places: list[Json] = []

    def __bool__(self) -> bool:
        return self.count > 0

    def add(
        self,
        message: str,
        *,
        row: int | None = None,
        column: str | None = None,
        text: str = "",
        columns: Sequence[str] = (),
    ) -> None:
        """Note one place; all are counted, not all kept.

        Args:
            message: one sentence that names the place.
            row: as a spreadsheet or an editor numbers it, from 1.
            column: its name.
            text: what stands there; a long one is cut.
            columns: of which the text is, when it is of more than `column`.
        """
        self.count += 1
        if len(self._places) < MOST_DETAILS:
            found = place(message, row=row, column=column, text=text, columns=columns)
            self._places.append(found)

    def gather(self, other: "Problems") -> None:
        """Take in what another check found."""
        self.count += other.count
        self._places += other._places

    def check(self, *, hint: str = "Correct the file and upload it again.") -> None:
        """Check that there are none.

        Raises:
            EngineError: there are; the details list the first ones by row.
        """
        if not self.count:
            return
        places = sorted(self._places, key=lambda found: found["row"] or 0)
        more = (
            f"{self.count - 1:,} more like this or of other kinds."
            if len(places) > 1
            else ""
        )
        sentences = filter(None, (places[0]["message"], more, hint))
        raise EngineError(" ".join(sentences), details=places)


def place(
    message: str,
    *,
    row: int | None = None,
    column: str | None = None,
    text: str = "",
    columns: Sequence[str] = (),
) -> Json:
    """Describe one place, as the details of an error list it.

    What stands there is masked where it may be personal: the list is read by more
    people than the file is.
    """
    quoted = text[:LONGEST_QUOTE]
    names = columns or ([column] if column else [])
    shown = masked_if_personal(names, quoted) or ""
    if shown != quoted:
        message = message.replace(quoted, shown)
    return {"row": row, "column": column, "message": message, "text": shown}
