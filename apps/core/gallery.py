"""Samples for the gallery page, which shows every component in every state."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django import forms

from apps.core import figures, figures_many
from apps.core.figures import Axes, Caption, Figure, Interval, Line
from apps.core.figures_many import Point, Scale
from apps.core.figures_pairs import overlaid_histograms, paired_bars
from apps.core.forms import PortalForm
from apps.core.status import Kind

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class SampleForm(PortalForm):
    name = forms.CharField(label="Name", help_text="Short, as people say it aloud.")
    contact = forms.EmailField(label="Contact", required=False)
    mission = forms.CharField(label="Mission statement", widget=forms.Textarea)
    measure = forms.ChoiceField(
        label="Measure", choices=[("cost", "Expected cost"), ("recall", "Recall")]
    )
    share = forms.FloatField(label="Share kept for the test", min_value=0, max_value=1)
    impact = forms.ChoiceField(
        label="Impact",
        choices=[("high", "High"), ("low", "Not high")],
        widget=forms.RadioSelect,
        help_text="Decides which gates apply.",
    )
    features = forms.MultipleChoiceField(
        label="Features",
        choices=[("speed", "Speed"), ("phase", "Phase of flight")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    file = forms.FileField(label="File", help_text="CSV or Parquet, up to 500 MB.")
    confirmed = forms.BooleanField(label="I have read the evidence")


def samples() -> dict[str, Any]:
    """Give the variables of the gallery."""
    return {
        "kinds": list(Kind),
        "states": ["draft", "in_review", "approved", "stale", "rejected", "running"],
        "allowed": SimpleNamespace(allowed=True, reason=""),
        "denied": SimpleNamespace(
            allowed=False,
            reason="You trained this version, so you cannot sign it off.",
        ),
        "digest": _DIGEST,
        "sections": [
            {"label": "Versions", "url": "#", "is_current": True},
            {"label": "Datasheet", "url": "#", "is_current": False},
        ],
        "upload": {"start_url": "#", "limit_bytes": 2**20, "chunk_bytes": 2**20},
        "form": SampleForm(initial={"share": 0.25}),
        "form_with_errors": SampleForm({"share": "2", "name": ""}, prefix="faulty"),
        "key_figures": _key_figures(),
        "facts": [
            {"term": "Owner", "value": "Dana Whitfield"},
            {"term": "Dataset", "value": "Wildlife strikes, version 3", "url": "#"},
            {"term": "Licence", "value": ""},
        ],
        "histogram": [2, 5, 13, 30, 52, 41, 28, 12, 6, 0, 1],
        "history": [0.61, 0.64, 0.63, 0.7, 0.72, 0.71, 0.78, 0.8],
        "trail": [{"label": "Projects", "url": "#"}, {"label": "Strikes", "url": "#"}],
        "life_cycles": _life_cycles(),
        "events": _events(),
        "checks": _checks(),
        "figures": _figures(),
    }


def _key_figures() -> list[dict[str, str]]:
    return [
        {"label": "Area under ROC", "value": "0.871", "detail": "0.842 to 0.897"},
        {
            "label": "Cost per 1,000 strikes",
            "value": "$41,200",
            "detail": "Baseline $58,000",
            "kind": "success",
        },
        {"label": "Rows", "value": "10,000", "kind": "info"},
        {"label": "Not tested", "value": "2", "detail": "of 11", "kind": "warning"},
        {"label": "Failed checks", "value": "1", "kind": "error"},
    ]


def _life_cycles() -> list[list[dict[str, str]]]:
    labels = ["Draft", "Validated", "In review", "Approved", "Deployed"]
    under_way = ["complete", "complete", "current", "upcoming", "upcoming"]
    rejected = ["complete", "complete", "stopped", "upcoming", "upcoming"]
    return [
        [
            {"label": label, "state": state}
            for label, state in zip(labels, states, strict=True)
        ]
        for states in (under_way, rejected)
    ]


def _events() -> list[SimpleNamespace]:
    signed = SimpleNamespace(
        at=datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC),
        event_id=UUID(int=2),
        actor_label="Morgan Ellis <morgan.ellis@agency.example>",
        actor_name="Morgan Ellis",
        type_label="signed off",
        type="approval.signed_off",
        target_label="strike-damage version 3",
        target_path="#",
        project_label="Wildlife strikes",
        changes={"stage": ["validator", "operations manager"], "conditions": []},
        reason="Error by operator is within the tolerance we agreed.",
    )
    trained = SimpleNamespace(
        at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        event_id=UUID(int=1),
        actor_label="Worker <worker@portal.example>",
        actor_name="Worker",
        type_label="finished",
        type="training.finished",
        target_label="training job 12",
        target_path="",
        project_label="Wildlife strikes",
        changes={"seconds": 41, "metrics": ["auc", "cost", "recall"]},
        reason="",
    )
    return [signed, trained]


def _checks() -> list[dict[str, Any]]:
    return [
        {
            "name": "Area under ROC",
            "verdict": "passed",
            "measured": 0.87123,
            "required": "at least 0.80",
            "detail": "On 2,500 rows held out",
        },
        {
            "name": "Recall, night flights",
            "verdict": "failed",
            "measured": 0.402,
            "required": "at least 0.5",
        },
        {"name": "Robustness", "verdict": "not_tested"},
    ]


def _figures() -> list[Figure]:
    rate = [n / 20 for n in range(21)]
    groups = ["Day", "Dusk", "Night", "Dawn"]
    return [
        figures.curve(
            Caption("g-roc", "ROC curve", "The model is well above chance."),
            [
                Line("Version 3", rate, [x**0.3 for x in rate]),
                Line("Champion", rate, [x**0.5 for x in rate]),
            ],
            Axes("False alarm rate", "Hit rate"),
            reference=Line("Chance", [0, 1], [0, 1]),
        ),
        figures.heatmap(
            Caption("g-confusion", "Confusion matrix", "184 of 265 damages are found."),
            ["No damage", "Damage"],
            [[1992, 243], [81, 184]],
            Axes("Predicted", "Actual"),
        ),
        figures.correlations(
            Caption("g-related", "Columns that move together", "Speed and height do."),
            ["speed", "height", "weight"],
            [[1, 0.81, -0.4], [0.81, 1, None], [-0.4, None, 1]],
        ),
        figures.over_time(
            Caption("g-coverage", "Rows by month", "Nothing was recorded in March."),
            [f"2025-0{month}-01" for month in range(1, 7)],
            [120, 96, 0, 143, 150, 161],
            Axes("Month", "Rows"),
        ),
        figures.intervals(
            Caption("g-groups", "Recall by time of day", "Night is lowest."),
            [
                Interval(group, 0.7 - n / 12, 0.6 - n / 9, 0.8 - n / 14)
                for n, group in enumerate(groups)
            ],
            Axes("Recall (95 % interval)", "Time of day"),
            reference=0.5,
        ),
        figures.bars(
            Caption("g-weights", "What the model looks at", "Speed matters most."),
            ["Speed", "Size of the animal", "Phase of flight", "Height"],
            [0.31, 0.22, 0.12, 0.04],
            Axes("Loss of AUC when shuffled", "Feature"),
        ),
        figures.calibration(
            Caption("g-calibration", "Calibration", "Slightly too sure above 0.6."),
            [0.05, 0.2, 0.4, 0.6, 0.8, 0.93],
            [0.06, 0.19, 0.43, 0.55, 0.7, 0.83],
            [900, 420, 210, 96, 60, 31],
        ),
        figures_many.scatter(
            Caption("g-scatter", "Recall by depth", "Deeper trees find more."),
            [
                Point(f"Run {n}", str(n), 2.0 * n, 0.5 + 0.1 * n - 0.01 * n**2)
                for n in range(1, 6)
            ],
            Axes("Depth", "Recall"),
        ),
        figures_many.parallel(
            Caption("g-parallel", "Parallel coordinates", "One line is one run."),
            ["1. Tree", "2. Forest", "3. Boosting"],
            [
                Scale("Kind of model", ["tree", "forest", "boosting"]),
                Scale("Learning rate", [0.5, None, 0.05]),
                Scale("Recall", [0.61, 0.7, 0.72]),
                Scale("Mission cost", [1800.0, 1420.0, 1390.0], lower_is_better=True),
            ],
        ),
        figures.line_history(
            Caption("g-history", "Loss while training", "Settles after 8 steps."),
            [Line("Loss", list(range(12)), [0.7 * 0.8**n + 0.2 for n in range(12)])],
            Axes("Step", "Log loss"),
        ),
        overlaid_histograms(
            Caption("g-shift", "Speed in two versions", "The later one is faster."),
            [60, 90, 120, 150, 180],
            (("Version 1", [40, 90, 50, 20]), ("Version 2", [10, 70, 90, 60])),
            Axes("Speed, knots", "Share of rows"),
        ),
        paired_bars(
            Caption("g-mix", "Phase in two versions", "Fewer landings are reported."),
            ["Landing", "Climb", "Approach"],
            (("Version 1", [120, 60, 20]), ("Version 2", [60, 70, 30])),
            Axes("Share of rows", "Phase"),
        ),
    ]
