"""Forms about how people and systems are told."""

from django import forms

from apps.core.forms import PortalForm
from apps.notices.models import MAX_URL_CHARACTERS, MailWish


class MailForm(PortalForm):
    mail = forms.ChoiceField(
        label="Write to me", choices=MailWish.choices, widget=forms.RadioSelect
    )


class WebhookForm(PortalForm):
    url = forms.CharField(
        label="Address",
        max_length=MAX_URL_CHARACTERS,
        help_text="Begins with https://. It is not shown again in full.",
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
