"""Forms of asking for an approval and of deciding on one."""

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.accounts.models import User
from apps.approvals.evidence import PARTS
from apps.approvals.models import MAX_COMMENT_CHARACTERS, NewCondition, Stage
from apps.core.forms import PortalForm

CONDITION_ROWS = 3
_PARTS = ("text", "owner", "due_on")


class RequestForm(PortalForm):
    message = forms.CharField(
        label="Message to the signers",
        max_length=MAX_COMMENT_CHARACTERS,
        required=False,
        widget=forms.Textarea,
        help_text="What changed since the last version, and what to look at first.",
    )


class DecisionForm(PortalForm):
    comment = forms.CharField(
        label="Comment",
        max_length=MAX_COMMENT_CHARACTERS,
        required=False,
        widget=forms.Textarea,
    )
    password = forms.CharField(
        label="Your password",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Entered anew, so that the signature is yours.",
    )


class SignOffForm(DecisionForm):
    """A signature, with rows for conditions of which empty ones count nothing."""

    intent = forms.BooleanField(
        error_messages={"required": "Say that you have read the evidence."}
    )
    field_order = ("comment", "intent", "password")

    def __init__(
        self, *args: Any, stage: Stage, owners: Sequence[User], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["comment"].required = stage.must_comment
        said = f"I have read the evidence and state: {stage.meaning.lower()}."
        self.fields["intent"].label = said
        self._owners = {str(owner.pk): owner for owner in owners}
        for place in range(CONDITION_ROWS):
            self.fields |= self._condition_fields(place)
        self.dress()

    def _condition_fields(self, place: int) -> dict[str, forms.Field]:
        named = f"condition_{place}_"
        choices = [("", "Choose a person")]
        choices += [(key, owner.full_name) for key, owner in self._owners.items()]
        return {
            f"{named}text": forms.CharField(
                label=f"Condition {place + 1}: what must be done",
                max_length=MAX_COMMENT_CHARACTERS,
                required=False,
            ),
            f"{named}owner": forms.ChoiceField(
                label=f"Condition {place + 1}: who does it",
                choices=choices,
                required=False,
            ),
            f"{named}due_on": forms.DateField(
                label=f"Condition {place + 1}: by when",
                required=False,
                widget=forms.DateInput(attrs={"type": "date"}),
                help_text="A day later the approval is suspended by itself.",
            ),
        }

    @property
    def has_conditions(self) -> bool:
        """Whether something stands in a row of conditions."""
        return any(self.data.get(name) for name in self.condition_names)

    @property
    def condition_names(self) -> list[str]:
        """The names of the fields of conditions, in order."""
        return [name for name in self.fields if name.startswith("condition_")]

    @property
    def condition_fields(self) -> list[forms.BoundField]:
        """The fields of the rows of conditions, for the page."""
        return [self[name] for name in self.condition_names]

    @property
    def conditions(self) -> list[NewCondition]:
        """The conditions of a valid form."""
        rows = [self._condition(place) for place in range(CONDITION_ROWS)]
        return [
            NewCondition(text, self._owners[owner], due_on)
            for text, owner, due_on in rows
            if text
        ]

    def _condition(self, place: int) -> tuple[Any, ...]:
        return tuple(self.cleaned_data.get(f"condition_{place}_{p}") for p in _PARTS)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        for place in range(CONDITION_ROWS):
            row = dict(zip(_PARTS, self._condition(place), strict=True))
            for part in _PARTS if any(row.values()) else ():
                name = f"condition_{place}_{part}"
                if not row[part] and name not in self.errors:
                    self.add_error(name, "A condition needs all three.")
        return found


class ChangesForm(DecisionForm):
    comment = forms.CharField(
        label="What must change",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea,
        help_text="The request goes back to its author, who can change the version "
        "and ask again.",
    )


class ReasonForm(DecisionForm):
    """Taking a signature back, or ending an approval."""

    comment = forms.CharField(
        label="Reason", max_length=MAX_COMMENT_CHARACTERS, widget=forms.Textarea
    )


class RejectForm(DecisionForm):
    comment = forms.CharField(
        label="Reason",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea,
        help_text="What the next version must do better. Everybody in the project "
        "reads it.",
    )


class DelegationForm(PortalForm):
    """Who signs in one's place, from when and until when."""

    receiver = forms.ChoiceField(
        label="Who signs for you",
        help_text="They sign in their own name, in your role. They cannot hand it on.",
    )
    starts_on = forms.DateField(
        label="First day", widget=forms.DateInput(attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="You can end it at any time.",
    )

    def __init__(self, *args: Any, receivers: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._receivers = {str(person.pk): person for person in receivers}
        choices = [(key, one.full_name) for key, one in self._receivers.items()]
        self.fields["receiver"].choices = [  # type: ignore[attr-defined]
            ("", "Choose a member"),
            *choices,
        ]

    @property
    def chosen(self) -> User:
        """The member chosen in a valid form."""
        return self._receivers[self.cleaned_data["receiver"]]


_NAMING = (
    "Name somebody with @ and the part of their e-mail address before its @ sign; "
    "they are told. A comment is never edited, only marked as withdrawn."
)


class CommentForm(PortalForm):
    """What begins a thread about a request."""

    text = forms.CharField(
        label="Ask or say something",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_NAMING,
    )
    part = forms.ChoiceField(
        label="What it is about",
        required=False,
        choices=[
            ("", "The request as a whole"),
            *((part, name.capitalize()) for part, name in PARTS.items()),
        ],
    )


class ReplyForm(PortalForm):
    """An answer in a thread."""

    text = forms.CharField(
        label="Your answer",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    reply_to = forms.UUIDField(widget=forms.HiddenInput)
