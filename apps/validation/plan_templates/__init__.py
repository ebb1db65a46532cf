"""Where a validation plan can start from: versioned data files, one per impact."""

from apps.validation.plan_templates.files import (
    PlanTemplate,
    PlanTemplateFaulty,
    plan_templates,
    read_template,
    template_for,
)
from apps.validation.plan_templates.start import Start, start_from

__all__ = [
    "PlanTemplate",
    "PlanTemplateFaulty",
    "Start",
    "plan_templates",
    "read_template",
    "start_from",
    "template_for",
]
