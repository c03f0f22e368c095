import pytest
from django.urls import resolve, reverse

NUMBER = "40718823"
ID = "0190a1b2-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        ("case_list", [], "/cases/"),
        ("case_new", [], "/cases/new/"),
        ("upload", [], "/uploads/"),
        ("case_page", [NUMBER], f"/cases/{NUMBER}/"),
        ("case_message", [NUMBER], f"/cases/{NUMBER}/messages/"),
        ("case_close", [NUMBER], f"/cases/{NUMBER}/close/"),
        ("case_reopen", [NUMBER], f"/cases/{NUMBER}/reopen/"),
        ("case_file", [NUMBER, ID], f"/cases/{NUMBER}/files/{ID}/"),
        ("case_evidence", [NUMBER], f"/cases/{NUMBER}/evidence/"),
        ("machines", [], "/machines/"),
        ("machine_code", [], "/machines/codes/"),
        ("machine_revoke", [ID], f"/machines/{ID}/revoke/"),
        ("contract", [], "/contract/"),
    ],
)
def test_each_page_stands_where_mails_and_the_agent_say(name: str, arguments: list[str], path: str) -> None:
    urls = "guardia.doors.portal.urls"
    assert resolve(path, urls).url_name == name
    assert reverse(f"portal:{name}", args=arguments) == path


def test_the_form_for_a_new_case_is_not_taken_for_a_case_number() -> None:
    assert resolve("/cases/new/", "guardia.doors.portal.urls").url_name == "case_new"
