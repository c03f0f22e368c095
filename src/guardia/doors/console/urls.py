"""The console's addresses, all under /console/."""

from django.urls import URLPattern, path

from guardia.doors.console import cases, drafts, lab, queue, releases

app_name = "console"

urlpatterns: list[URLPattern] = [
    path("", queue.home, name="home"),
    path("queue/", queue.queue, name="queue"),
    path("take-next/", queue.take_next, name="take_next"),
    path("queue/<str:number>/take/", queue.take_row, name="take_row"),
    path("cases/<str:number>/", cases.case, name="case"),
    path("cases/<str:number>/take/", cases.take, name="case_take"),
    path("cases/<str:number>/messages/", cases.message, name="case_message"),
    path("cases/<str:number>/answer/", cases.answer, name="case_answer"),
    path("cases/<str:number>/wait/", cases.wait, name="case_wait"),
    path("cases/<str:number>/resume/", cases.resume, name="case_resume"),
    path("cases/<str:number>/to-lab/", cases.to_lab, name="case_to_lab"),
    path("cases/<str:number>/solution/", cases.solution, name="case_solution"),
    path("cases/<str:number>/close/", cases.close, name="case_close"),
    path("cases/<str:number>/reopen/", cases.reopen, name="case_reopen"),
    path("cases/<str:number>/reject/", cases.reject, name="case_reject"),
    path("cases/<str:number>/files/<uuid:file_id>/", cases.file, name="case_file"),
    path("cases/<str:number>/evidence/", cases.case_evidence, name="case_evidence"),
    path("lab/", lab.lab, name="lab"),
    path("lab/<str:number>/", lab.triage, name="triage"),
    path("lab/<str:number>/precheck/", lab.precheck, name="lab_precheck"),
    path("lab/<str:number>/determination/", lab.determination, name="lab_determination"),
    path("lab/<str:number>/proposals/", lab.proposals, name="lab_proposals"),
    path("lab/<str:number>/drafts/", lab.save_draft, name="lab_drafts"),
    path("lab/<str:number>/join/", lab.join, name="lab_join"),
    path("lab/<str:number>/drafts/<int:n>/", drafts.draft, name="draft"),
    path("lab/<str:number>/drafts/<int:n>/gates/", drafts.gates, name="draft_gates"),
    path("lab/<str:number>/drafts/<int:n>/review/", drafts.review, name="draft_review"),
    path("lab/<str:number>/drafts/<int:n>/approve/", drafts.approve, name="draft_approve"),
    path("releases/", releases.releases, name="releases"),
    path("releases/standard-batch/", releases.standard_batch, name="standard_batch"),
    path("releases/<int:n>/evidence/", releases.release_evidence, name="release_evidence"),
]
