"""Every main page, as it is drawn: readable, within the screen, in one language, and nothing loaded from elsewhere."""

import pytest

from tests.browser.conftest import Enter
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def complaints_of(enter: Enter, world: World, language: str, theme: str, viewport: dict[str, int]) -> list[str]:
    """Open every page so, and return what is wrong with each."""
    wrong = []
    for part, paths in world.pages().items():
        visitor = enter(part, language, color_scheme=theme, viewport=viewport)
        for path in paths:
            visitor.goto(path)
            found = visitor.audit()
            wrong += [f"{path}: too faint: {text}" for text in found["contrast"]]
            wrong += [f"{path}: not Spanish: {text}" for text in found["foreign"]]
            wrong += [f"{path}: scrolls sideways"] if found["scrolls"] else []
            wrong += [f"{path}: too small to hit: {text}" for text in found["small"]] if viewport is PHONE else []
    return wrong


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_is_readable_and_fits_the_screen(
    enter: Enter, world: World, theme: str, viewport: dict[str, int]
) -> None:
    language = "es" if (theme == "light") == (viewport is DESK) else "en"
    assert complaints_of(enter, world, language, theme, viewport) == []


def test_the_measure_finds_a_planted_fault(enter: Enter, world: World) -> None:
    visitor = enter("plus", "es")
    page = visitor.goto("/cases/")
    page.evaluate("""() => {
        const faint = document.createElement("p");
        faint.textContent = "Faint words that nobody reads of the page";
        faint.style.color = "#bbb";
        faint.style.width = "3000px";
        document.querySelector("main").append(faint);
    }""")
    found = visitor.audit()
    assert any(text.startswith("Faint words") for text in found["contrast"])
    assert found["foreign"]
    assert found["scrolls"]
    visitor.complaints.clear()  # the policy rightly complains of the planted style
