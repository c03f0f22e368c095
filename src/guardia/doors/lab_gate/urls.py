"""The lab gate's URLs, version 1."""

from django.urls import path

from guardia.doors.lab_gate import work

urlpatterns = [
    path("lease", work.lease, name="lab_lease"),
    path("jobs/<uuid:job_id>/samples/<str:sha256>", work.sample, name="lab_sample"),
    path("jobs/<uuid:job_id>/files/<str:sha256>", work.database_file, name="lab_file"),
    path("jobs/<uuid:job_id>/progress", work.progress, name="lab_progress"),
    path("jobs/<uuid:job_id>/result", work.result, name="lab_result"),
]
