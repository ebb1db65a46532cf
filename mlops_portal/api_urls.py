"""Addresses of the REST API, version 1, gathered from the apps."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.accounts import api as accounts
from apps.approvals import api as approvals
from apps.approvals import api_delegations as delegations
from apps.approvals import api_discussion as discussion
from apps.approvals import api_emergencies as emergencies
from apps.approvals import api_exceptions as exceptions
from apps.approvals import api_policies as policies
from apps.approvals import api_reading as approvals_reading
from apps.audit import api as audit
from apps.datasets import api as datasets
from apps.experiments import api as experiments
from apps.experiments import api_importing as run_files
from apps.exports import api as exports
from apps.home import api as home
from apps.jobs import api as jobs
from apps.notices import api as notices
from apps.notices import api_webhooks as webhooks
from apps.projects import api as projects
from apps.registry import api as registry
from apps.training import api as training
from apps.training import api_code as code
from apps.training import api_regenerations as regenerations
from apps.validation import api as validation
from apps.validation import api_findings as findings

v1 = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    *accounts.urlpatterns,
    *projects.urlpatterns,
    *notices.urlpatterns,
    *webhooks.urlpatterns,
    *datasets.urlpatterns,
    *experiments.urlpatterns,
    *run_files.urlpatterns,
    *training.urlpatterns,
    *code.urlpatterns,
    *regenerations.urlpatterns,
    *registry.urlpatterns,
    *validation.urlpatterns,
    *findings.urlpatterns,
    *approvals.urlpatterns,
    *approvals_reading.urlpatterns,
    *delegations.urlpatterns,
    *discussion.urlpatterns,
    *exceptions.urlpatterns,
    *emergencies.urlpatterns,
    *policies.urlpatterns,
    *home.urlpatterns,
    *jobs.urlpatterns,
    *audit.urlpatterns,
    *exports.urlpatterns,
]

urlpatterns = [
    path("v1/", include((v1, "v1"), namespace="v1")),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="v1:schema"),
        name="api_docs",
    ),
]
