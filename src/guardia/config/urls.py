"""Every URL of the server: each door brings its own."""

from django.urls import include, path

from guardia.config.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("guardia.doors.live.urls")),
    path("", include("guardia.ui.account_urls")),
    path("api/v1/", include("guardia.doors.api.urls")),
    path("lab/v1/", include("guardia.doors.lab_gate.urls")),
    path("console/", include("guardia.doors.console.urls")),
    path("", include("guardia.doors.portal.urls")),
]
