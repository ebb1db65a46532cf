from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import time_machine
from django import forms
from django.template import Context, RequestContext, Template
from django.template.loader import render_to_string
from django.test import RequestFactory

from apps.core import gallery
from apps.core.forms import PortalForm
from apps.core.status import KIND_OF_STATE, Kind
from apps.core.templatetags import portal

ALLOWED = SimpleNamespace(allowed=True, reason="")
DENIED = SimpleNamespace(allowed=False, reason="You trained this <version>.")


def render(template: str, **variables: object) -> str:
    return Template(template).render(Context(variables))


def render_in_request(template: str, path: str = "/", **variables: object) -> str:
    request = RequestFactory().get(path)
    return Template(template).render(RequestContext(request, variables))


def component(name: str, **variables: object) -> str:
    return render_to_string(f"components/{name}.html", variables)


class Strike(PortalForm):
    name = forms.CharField(label="Name", help_text="As people say it.")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)
    kind = forms.ChoiceField(label="Kind", choices=[("bird", "Bird"), ("deer", "Deer")])
    phase = forms.ChoiceField(
        label="Phase", choices=[("climb", "Climb")], widget=forms.RadioSelect
    )
    parts = forms.MultipleChoiceField(
        label="Parts", choices=[("wing", "Wing")], widget=forms.CheckboxSelectMultiple
    )
    report = forms.FileField(label="Report")
    sure = forms.BooleanField(label="I am sure")
    key = forms.CharField(widget=forms.HiddenInput)


# Action button


def test_action_button_allowed_posts_with_a_token_once():
    html = render_in_request(
        '{% include "components/action_button.html" with decision=decision'
        ' url="/sign/" label="Sign off" only %}',
        decision=ALLOWED,
    )

    assert (
        '<button type="submit" class="usa-button" data-once>Sign off</button>' in html
    )
    assert 'name="csrfmiddlewaretoken"' in html
    assert 'action="/sign/"' in html


def test_action_button_allowed_by_get_is_a_link():
    html = component(
        "action_button", decision=ALLOWED, url="/new/", label="New", method="get"
    )

    assert '<a class="usa-button" href="/new/">New</a>' in html
    assert "<form" not in html


def test_action_button_refused_is_disabled_and_says_why():
    html = component("action_button", decision=DENIED, url="/x/", label="Sign off")

    reason_id = portal.stable_id("reason", "Sign off", "/x/")
    assert "disabled" in html
    assert f'aria-describedby="{reason_id}"' in html
    assert f'id="{reason_id}"' in html
    assert "You trained this &lt;version&gt;." in html
    assert "/x/" not in html


def test_action_button_asks_before_danger():
    html = component(
        "action_button",
        decision=ALLOWED,
        url="/x/",
        label="Reject",
        style="danger",
        confirm="Really?",
    )

    assert 'data-confirm="Really?"' in html
    assert "usa-button--secondary" in html


# Forms


def test_form_gives_every_widget_its_class():
    html = component("form", form=Strike())

    for name, look in [
        ("name", "usa-input"),
        ("note", "usa-textarea"),
        ("kind", "usa-select"),
        ("phase", "usa-radio__input"),
        ("parts", "usa-checkbox__input"),
        ("report", "usa-file-input"),
        ("sure", "usa-checkbox__input"),
    ]:
        assert f'class="{look}"' in str(Strike()[name]), name
    assert 'enctype="multipart/form-data"' in html
    assert '<input type="hidden" name="key" id="id_key">' in html


def test_form_keeps_a_class_its_author_gave():
    class Wide(PortalForm):
        name = forms.CharField(widget=forms.TextInput(attrs={"class": "wide"}))

    assert 'class="wide"' in str(Wide()["name"])


def test_form_ties_hints_and_errors_to_their_controls():
    html = component("form", form=Strike({}))

    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext">As people say it.</div>' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html
    for name in ("name", "kind", "phase", "parts", "report", "sure"):
        assert html.count(f'id="id_{name}"') == 1
        assert html.count(f'id="id_{name}_error"') == 1


def test_form_sums_errors_up_with_links():
    class Pair(PortalForm):
        low = forms.IntegerField(label="Low")

        def clean(self):
            raise forms.ValidationError("Low is above high.")

    html = component("form", form=Pair({"low": "x"}))

    assert '<a href="#id_low">Low: Enter a whole number.</a>' in html
    assert "<li>Low is above high.</li>" in html
    assert "data-focus" in html


def test_form_without_errors_has_no_summary():
    assert "data-focus" not in component("form", form=Strike())


def test_form_marks_what_may_stay_empty():
    html = component("form", form=Strike())

    assert html.count("(optional)") == 1


def test_form_escapes_what_was_typed():
    html = component("form", form=Strike({"name": '"><script>alert(1)</script>'}))

    assert "<script>" not in html


def test_form_announces_uploads_and_htmx_only_when_asked():
    plain = component("form", form=Strike())
    busy = component(
        "form",
        form=Strike(),
        upload={"start_url": "/up", "limit_bytes": 2048},
        target="#panel",
    )

    assert "data-upload" not in plain
    assert "hx-post" not in plain
    assert 'data-limit-bytes="2048"' in busy
    assert 'hx-target="#panel"' in busy


# Small components


def test_figure_embeds_its_data_safely():
    figure = gallery.samples()["figures"][0]
    figure = {**figure, "title": "</script><b>", "json": {"data": "</script>"}}

    html = render("{% figure figure %}", figure=figure)

    assert html.count("</script>") == 1
    assert f'<script id="{figure["id"]}-json" type="application/json">' in html
    assert 'role="img"' in html
    assert "&lt;b&gt;" in html


def test_figure_shows_its_numbers_in_a_table():
    html = render("{% figure figure %}", figure=gallery.samples()["figures"][1])

    assert '<th scope="row">No damage</th>' in html
    assert "<td>1,992</td>" in html


def test_table_can_be_reached_and_is_named():
    html = render('{% table "Runs" %}<tbody></tbody>{% endtable %}')

    assert 'tabindex="0"' in html
    assert 'aria-label="Runs"' in html
    assert "<tbody></tbody>" in html


def test_page_header_and_card_escape_their_texts():
    html = render(
        "{% page_header title eyebrow=title lead=title %}<b>in</b>{% endpage_header %}"
        '{% card title url="/x/" %}<b>in</b>{% endcard %}',
        title="<script>",
    )

    assert "<script>" not in html
    assert html.count("<b>in</b>") == 2


def test_pagination_is_absent_without_pages():
    assert component("pagination").strip() == ""
    assert 'rel="next"' in component("pagination", next_url="?after=x")


def test_progress_without_ratio_is_indeterminate():
    assert "value=" not in component("progress", ratio=None)
    assert 'value="0"' in component("progress", ratio=0)


def test_audit_table_tells_changes_and_reason():
    html = component("audit_table", events=gallery.samples()["events"])

    assert '<span class="subtle">validator</span>' in html
    assert "operations manager" in html
    assert "auc, cost, recall" in html
    assert "within the tolerance we agreed" in html


def test_audit_table_without_events_says_so():
    assert "No audit events" in component("audit_table", events=[])


def test_banner_is_shown_only_where_it_may_be_claimed():
    assert "official" not in component("banner", banner="none")
    assert "United States government" in component("banner", banner="gov")
    assert "state government" in component("banner", banner="state")


def test_nav_link_marks_the_section():
    template = '{% nav_link "core:components" "Parts" count=3 %}'

    assert 'aria-current="page"' in render_in_request(template, "/components/x/")
    assert "aria-current" not in render_in_request(template, "/")
    assert ">3<" in render_in_request(template, "/")


def test_nav_link_marks_other_addresses_of_its_section():
    template = '{% nav_link "core:components" "Parts" also="runs jobs" %}'

    assert 'aria-current="page"' in render_in_request(template, "/runs/7/")
    assert "aria-current" not in render_in_request(template, "/runsheet/")


def test_nav_link_to_nowhere_is_left_out():
    assert render_in_request('{% nav_link "no:where" "Nowhere" %}').strip() == ""


def test_csrf_field_is_empty_without_a_request():
    assert render("{% csrf_field %}") == ""


# Text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "12.3\xa0%"), (1, "100.0\xa0%"), (None, "–"), ("", "–"), (1e999, "–")],
)
def test_ratio(value, text):
    assert portal.ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (1234.5678, "1,235"),
        (-999999999999999.0, "-999,999,999,999,999"),
        (1.25e15, "1.25e+15"),
        (-1e308, "-1e+308"),
        (0.123456, "0.1235"),
        (0.0, "0"),
        (-2.5, "-2.5"),
        (float("nan"), "–"),
        (True, "yes"),
        (False, "no"),
        ("as it is", "as it is"),
        (None, None),
    ],
)
def test_number(value, text):
    assert portal.number(value) == text


def test_moment_is_utc_to_the_minute():
    html = portal.moment(datetime(2026, 3, 9, 4, 5, 6, tzinfo=UTC))

    assert html == (
        '<time datetime="2026-03-09T04:05:06Z" title="9 March 2026, 04:05:06 UTC">'
        "9 Mar 2026, 04:05 UTC</time>"
    )
    assert portal.moment(None) == "–"


def test_since_names_the_largest_unit():
    with time_machine.travel(datetime(2026, 3, 9, 12, 30, tzinfo=UTC), tick=False):
        at = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)

        assert portal.since(at) == "3\xa0hours ago"
        assert portal.since(datetime(2026, 3, 9, 12, 29, 40, tzinfo=UTC)) == "just now"
    assert portal.since(None) == "–"


def test_short_texts():
    assert portal.short_digest("0123456789abcdef") == "0123456789ab"
    assert portal.initials("dana van whitfield") == "DW"
    assert portal.initials("") == ""
    assert portal.state_label("in_review") == "In review"
    assert portal.status_kind("in_review") == "info"
    assert portal.status_kind("never heard of") == "neutral"


def test_every_kind_has_its_own_icon():
    assert len({portal.kind_icon(kind) for kind in Kind}) == len(Kind)
    assert set(KIND_OF_STATE.values()) == set(Kind)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (["a", "b"], {"before": "a", "after": "b"}),
        ([None, ["x", "y"]], {"before": "nothing", "after": "x, y"}),
        (7, {"before": "", "after": "7"}),
        ("", {"before": "", "after": "nothing"}),
    ],
)
def test_change_lines(value, line):
    assert portal.change_lines({"due_on": value}) == [{"field": "Due on", **line}]


def test_change_lines_leave_out_what_did_not_change():
    assert portal.change_lines({"roles": [[], None]}) == []


# Small drawings


def test_histogram_bars_reach_from_hairline_to_full_height():
    bars = portal.histogram_bars([0, 4])

    assert [bar["height"] for bar in bars] == ["0.50", "24.00"]
    assert [bar["x"] for bar in bars] == ["0.00", "50.00"]
    assert portal.histogram_bars([]) == []
    assert portal.histogram_bars([0])[0]["height"] == "0.50"


def test_sparkline_points_span_the_box():
    assert portal.sparkline_points([1, 3]) == "0.0,22.0 100.0,2.0"
    assert portal.sparkline_points([5]) == "0.0,22.0"
    assert portal.sparkline_points([]) == ""
