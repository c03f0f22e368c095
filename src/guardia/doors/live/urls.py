"""The live views' addresses, beside the pages that they serve."""

from django.urls import path

from guardia.doors.live import streams

urlpatterns = [
    path("cases/<str:number>/live", streams.case, name="case_live"),
    path("console/cases/<str:number>/live", streams.console_case, name="console_case_live"),
    path("console/lab/<str:number>/live", streams.lab, name="lab_live"),
    path("console/lab/<str:number>/drafts/<int:n>/live", streams.lab, name="draft_live"),
    path("console/calendars/moves/<uuid:move_id>/live", streams.calendar_move, name="calendar_move_live"),
    path("console/alerts/live", streams.alerts, name="alerts_live"),
    path("console/duty/live", streams.duty, name="duty_live"),
    path("console/releases/live", streams.releases, name="releases_live"),
]
