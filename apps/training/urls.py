from django.urls import path

from apps.core.views import forbidden

app_name = "training"
# Placeholder names until the pages are written.
urlpatterns = [
    path("training-jobs/<uuid:pk>/", forbidden, name="training_job"),
]
