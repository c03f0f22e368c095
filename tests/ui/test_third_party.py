from pathlib import Path

import pytest

from guardia.ui.third_party import ICON_FOLDER, PackageFileMissingError, icons_in_use, sprite

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="24" class="icon">\n'
    '  <path stroke="none" d="M0 0h24v24H0z" fill="none" />\n  <path d="M5 4h4" />\n</svg>'
)


def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "node_modules"
    (folder / ICON_FOLDER).mkdir(parents=True)
    (folder / ICON_FOLDER / "phone.svg").write_text(ICON, encoding="utf-8")
    return folder


def test_the_sprite_has_a_symbol_for_each_icon_and_no_style(tmp_path: Path) -> None:
    drawing = sprite(["phone"], packages(tmp_path))
    assert '<symbol id="phone" viewBox="0 0 24 24"' in drawing
    assert '<path d="M5 4h4" />' in drawing
    assert "M0 0h24v24H0z" not in drawing
    assert "style" not in drawing


def test_a_misspelt_icon_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackageFileMissingError, match=r"outline/fone\.svg is missing"):
        sprite(["fone"], packages(tmp_path))


def test_icons_of_templates_and_of_code_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{% icon 'only-in-template' %}", encoding="utf-8")
    (tmp_path / "a.py").write_text('Entry(icon="only-in-code")', encoding="utf-8")
    assert {"only-in-template", "only-in-code"} <= set(icons_in_use(tmp_path))
