"""The portal's addresses."""

from django.urls import URLPattern, path

from guardia.doors.portal import cases, company, contract, downloads, new_case, promise, statements, uploads

app_name = "portal"

urlpatterns: list[URLPattern] = [
    path("", cases.home, name="home"),
    path("cases/", cases.case_list, name="case_list"),
    path("cases/new/", new_case.case_new, name="case_new"),
    path("cases/new/severity/", new_case.severity, name="severity"),
    path("uploads/", uploads.upload, name="upload"),
    path("cases/<str:number>/", cases.case_page, name="case_page"),
    path("cases/<str:number>/messages/", cases.write, name="case_message"),
    path("cases/<str:number>/close/", cases.close, name="case_close"),
    path("cases/<str:number>/reopen/", cases.reopen, name="case_reopen"),
    path("cases/<str:number>/proposal/", promise.proposal, name="case_proposal"),
    path("cases/<str:number>/dispute/", promise.dispute, name="case_dispute"),
    path("cases/<str:number>/class/", promise.make_premium, name="case_class"),
    path("cases/<str:number>/files/<uuid:file_id>/", downloads.case_file, name="case_file"),
    path("cases/<str:number>/evidence/", downloads.evidence, name="case_evidence"),
    path("machines/", company.machines, name="machines"),
    path("machines/codes/", company.new_code, name="machine_code"),
    path("machines/<uuid:machine_id>/revoke/", company.revoke, name="machine_revoke"),
    path("tokens/", company.tokens, name="tokens"),
    path("tokens/new/", company.new_token, name="token_new"),
    path("tokens/<uuid:token_id>/revoke/", company.stop_token, name="token_revoke"),
    path("contract/", contract.contract, name="contract"),
    path("contract/contacts/", contract.name_contact, name="contact_name"),
    path("contract/contacts/end/", contract.end_contact, name="contact_end"),
    path("contract/movements/", contract.movements, name="movements"),
    path("contract/movements.csv", contract.movements_csv, name="movements_csv"),
    path("contract/report/", statements.report, name="report"),
    path("contract/report/report.csv", statements.report_csv, name="report_csv"),
    path("contract/statements/", statements.statements, name="statements"),
    path("contract/statements/<str:month>/", statements.statement, name="statement"),
    path("contract/statements/<str:month>/cases.csv", statements.statement_csv, name="statement_csv"),
]
