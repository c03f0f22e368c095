"""Language, theme, keys, refusals, and everything without script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_the_language_follows_the_browser_and_then_the_switch(enter: Enter) -> None:
    visitor = enter(locale="es-ES")
    page = visitor.goto("/sign-in/")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_theme_follows_the_system_and_then_the_switch(enter: Enter) -> None:
    page = enter(color_scheme="dark").goto("/sign-in/")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    assert page.evaluate(ground) != dark
    page.reload()
    expect(page.get_by_role("button", name="Light", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_queue_is_worked_by_keys_alone(enter: Enter, world: World) -> None:
    page = enter("reviewer", "en").goto("/console/queue/")
    rows = page.locator("tr[data-row]")
    chosen = page.locator("tr[aria-selected=true]")
    numbers = [rows.nth(at).get_attribute("data-row") for at in range(3)]
    for key, number in (("j", numbers[0]), ("j", numbers[1]), ("j", numbers[2]), ("k", numbers[1])):
        page.keyboard.press(key)
        expect(chosen).to_have_attribute("data-row", str(number))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/cases/{numbers[1]}/")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/console/queue/")
    page.keyboard.press("/")
    page.keyboard.type("tjk")
    expect(page.locator("#search")).to_have_value("tjk")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_t_takes_the_next_case_that_nobody_holds(enter: Enter, world: World) -> None:
    page = enter("engineer", "en").goto("/console/queue/?view=unassigned&group=mine")
    first = page.locator("tr[data-row]").first.get_attribute("data-row")
    page.keyboard.press("t")
    page.wait_for_url(f"**/console/cases/{first}/")
    expect(page.get_by_role("status").first).to_contain_text("The case is yours.")


def test_a_refused_form_keeps_what_was_typed_and_leads_to_the_first_fault(enter: Enter) -> None:
    page = enter("plus", "en").goto("/cases/new/")
    page.check("input[name=kind][value=signature_change]")
    page.check("input[name=claim][value=FP]")
    page.fill("#subject", "Kept subject")
    page.fill("#description", "Kept words")
    page.check("input[name=severity][value='3']")
    page.check("input[name=case_class][value=standard]")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.locator("#subject")).to_have_value("Kept subject")
    assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    described = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
    expect(page.locator(f"#{described}")).to_be_visible()


def test_an_empty_file_is_refused_and_does_not_block_the_others(enter: Enter) -> None:
    page = enter("plus", "en").goto("/cases/new/")
    files = [
        {"name": "empty.log", "mimeType": "text/plain", "buffer": b""},
        {"name": "<b>bold&amp;.txt", "mimeType": "text/plain", "buffer": b"words"},
        {"name": "large.bin", "mimeType": "application/octet-stream", "buffer": b"x" * (4 * 1024 * 1024 + 1)},
    ]
    page.set_input_files("input[type=file]", files)  # type: ignore[arg-type]
    lines = page.locator(".g-file")
    expect(lines.nth(0)).to_contain_text("The file is empty")
    expect(lines.nth(1)).to_contain_text("in quarantine")
    expect(lines.nth(1)).to_contain_text("<b>bold&amp;.txt")
    expect(lines.nth(2)).to_contain_text("larger than 4")
    expect(page.locator("input[name=upload]")).to_have_count(1)
    lines.nth(1).get_by_role("button", name="Remove").click()
    expect(page.locator("input[name=upload]")).to_have_count(0)


def test_a_report_with_its_file_needs_no_script(enter: Enter) -> None:
    page = enter("standard", "en", java_script_enabled=False).goto("/cases/new/")
    page.check("input[name=kind][value=signature_change]")
    page.check("input[name=claim][value=FN]")
    for name, value in (("product", "Atalaya 8.2"), ("engine", "ClamAV"), ("database_version", "20260101.1")):
        page.fill(f"#{name}", value)
    page.fill("#subject", "Without script")
    page.fill("#description", "A plain form with a file.")
    page.check("input[name=severity][value='4']")
    page.check("input[name=case_class][value=standard]")
    sample = {"name": "plain.bin", "mimeType": "application/octet-stream", "buffer": b"harmless bytes " * 40}
    page.set_input_files("input[type=file]", sample)  # type: ignore[arg-type]
    page.get_by_role("button", name="Send request").click()
    assert re.search(r"/cases/\d{8}/$", page.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Without script")
    expect(page.get_by_text("plain.bin").first).to_be_visible()


def test_the_first_tab_leads_past_the_way_around_and_focus_is_seen(enter: Enter, world: World) -> None:
    page = enter("plus", "en").goto(f"/cases/{world.critical}/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    for _step in range(12):
        page.keyboard.press("Tab")
        seen = page.evaluate("""() => {
            const style = getComputedStyle(document.activeElement);
            return document.activeElement === document.body || parseFloat(style.outlineWidth) >= 2
                || Boolean(document.activeElement.closest("label"));
        }""")
        assert seen, page.evaluate("document.activeElement.outerHTML")
