"""The JSON API, version 1; its OpenAPI document is compared with the golden file `docs/openapi.json`."""

from django.urls import path
from ninja import NinjaAPI

from guardia.doors.api import agents, cases, problems

api = NinjaAPI(
    title="Guardia",
    version="1",
    description="Support cases, files and machines of a company. Errors are problem details (RFC 9457).",
    urls_namespace="api",
    docs_url=None,
)
api.add_router("", cases.router)
api.add_router("/agents", agents.router)
problems.install(api)

urlpatterns = [path("", api.urls)]
