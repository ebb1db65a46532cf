"""Addresses of pages; the API's are in `api_urls`."""

from django.urls import include, path

urlpatterns = [
    path("api/", include("mlops_portal.api_urls")),
    path("", include("apps.mlflow_api.urls")),
    path("", include("apps.core.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.projects.urls")),
    path("", include("apps.notices.urls")),
    path("", include("apps.datasets.urls")),
    path("", include("apps.experiments.urls")),
    path("", include("apps.training.urls")),
    path("", include("apps.registry.urls")),
    path("", include("apps.validation.urls")),
    path("", include("apps.approvals.urls")),
    path("", include("apps.exports.urls")),
    path("", include("apps.jobs.urls")),
    path("", include("apps.audit.urls")),
    # Last, because /projects/<slug>/ would take /projects/create/.
    path("", include("apps.home.urls")),
]
handler400 = "apps.core.views.bad_request"
handler403 = "apps.core.views.forbidden"
handler404 = "apps.core.views.not_found"
handler500 = "apps.core.views.server_error"
