"""Forms about how people and systems are told."""

from django import forms

from apps.core.forms import PortalForm
from apps.notices.models import MailWish


class MailForm(PortalForm):
    mail = forms.ChoiceField(
        label="Write to me", choices=MailWish.choices, widget=forms.RadioSelect
    )
