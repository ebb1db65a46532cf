"""Forms in the portal's look; every form of the portal is one of these.

Labels, hints and errors are drawn by `components/form.html`. Django itself sets
`aria-describedby` and `aria-invalid`, and the component uses the ids they name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django import forms
from django.forms.widgets import Input

from apps.core.errors import Invalid

_CLASSES: Final[tuple[tuple[type[forms.Widget], str], ...]] = (
    (forms.HiddenInput, ""),
    (forms.CheckboxSelectMultiple, "usa-checkbox__input"),
    (forms.RadioSelect, "usa-radio__input"),
    (forms.CheckboxInput, "usa-checkbox__input"),
    (forms.FileInput, "usa-file-input"),
    (forms.Select, "usa-select"),
    (forms.Textarea, "usa-textarea"),
    (Input, "usa-input"),
)  # the first that fits wins, so special widgets stand before general ones


class PortalFormLook(forms.BaseForm):
    """Give every widget of a form its USWDS class.

    Mixed into Django's own forms (sign-in, password) where those are used.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.dress()

    def dress(self) -> None:
        """Give widgets their classes; again after fields were added to a form."""
        for field in self.fields.values():
            look = _look_of(field.widget)
            if look:
                field.widget.attrs.setdefault("class", look)


class PortalForm(PortalFormLook, forms.Form):
    """A form of plain fields."""

    @contextmanager
    def taking_faults(self) -> Iterator[None]:
        """Show what an action found invalid beside the fields, as its own faults.

        A view returns from inside the block when the action went well, and renders the
        form again below it.
        """
        try:
            yield
        except Invalid as error:
            known = {k: v for k, v in error.fields.items() if k in self.fields}
            for name, sentence in known.items():
                self.add_error(name, sentence)
            if not known:
                self.add_error(None, error.message)


def _look_of(widget: forms.Widget) -> str:
    return next((look for kind, look in _CLASSES if isinstance(widget, kind)), "")
