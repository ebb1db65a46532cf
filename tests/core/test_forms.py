import pytest
from django import forms

from apps.core.errors import Invalid, Refused
from apps.core.forms import PortalForm


class AllKinds(PortalForm):
    text = forms.CharField()
    long_text = forms.CharField(widget=forms.Textarea)
    choice = forms.ChoiceField(choices=[("a", "A")])
    one_of = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)
    tick = forms.BooleanField()
    file = forms.FileField()
    hidden = forms.CharField(widget=forms.HiddenInput)
    kept = forms.CharField(widget=forms.TextInput(attrs={"class": "own"}))


class OneName(PortalForm):
    name = forms.CharField()


@pytest.mark.parametrize(
    ("field", "look"),
    [
        ("text", "usa-input"),
        ("long_text", "usa-textarea"),
        ("choice", "usa-select"),
        ("one_of", "usa-radio__input"),
        ("tick", "usa-checkbox__input"),
        ("file", "usa-file-input"),
        ("hidden", None),
        ("kept", "own"),
    ],
)
def test_every_widget_has_its_look(field, look):
    assert AllKinds().fields[field].widget.attrs.get("class") == look


def taken(error: Exception) -> OneName:
    form = OneName({"name": "x"})
    assert form.is_valid()
    with form.taking_faults():
        raise error
    return form


def test_taking_faults_puts_a_sentence_beside_its_field():
    form = taken(Invalid("All wrong.", fields={"name": "Taken.", "other": "Unseen."}))

    assert form.errors == {"name": ["Taken."]}


def test_taking_faults_shows_the_message_when_no_field_is_at_fault():
    form = taken(Invalid("All wrong.", fields={"other": "Unseen."}))

    assert form.errors == {"__all__": ["All wrong."]}


def test_taking_faults_lets_other_answers_pass():
    with pytest.raises(Refused):
        taken(Refused("Not you."))
