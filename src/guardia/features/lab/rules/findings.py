"""The shape of what a lab worker hands in, as far as pages and journeys read it.

A worker handles hostile files, so its findings are data to be judged: what lacks this shape is refused at the gate and
never kept. What a gate run lacks is judged by `gates.shortfalls`; here only that it can be read.
"""

from collections.abc import Mapping
from typing import Any

_VERDICT = {"outcome": str}
_SHAPES: Mapping[str, Any] = {
    "precheck": {"scans": [{"sha256": str, "build": int, "verdicts": {"*": _VERDICT}}]},
    "draft": {
        "facts?": [{"sha256": str}],
        "proposals": [{"title": str, "reason": str, "operations": [{"op": str}], "satisfies": {"*": bool}}],
    },
    "gates": {"gates?": [{"gate": str, "state": str}], "engines?": {"*": str}, "corpus?": {}},
}


def misfit(kind: str, findings: Mapping[str, Any]) -> str:
    """Return where the findings of a job of `kind` lack their shape, or an empty string."""
    return _misfit(findings, _SHAPES[kind], "result")


def _misfit(value: Any, shape: Any, place: str) -> str:
    if isinstance(shape, type):
        fits = isinstance(value, shape) and not (shape is int and isinstance(value, bool))
        return "" if fits else f"{place} must be of type {shape.__name__}"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} must be a list"
        found = (_misfit(entry, shape[0], f"{place}[{index}]") for index, entry in enumerate(value))
        return next((complaint for complaint in found if complaint), "")
    if not isinstance(value, dict):
        return f"{place} must be an object"
    return next((complaint for complaint in _misfits(value, shape, place) if complaint), "")


def _misfits(value: Mapping[str, Any], shape: Mapping[str, Any], place: str) -> list[str]:
    if "*" in shape:
        return [_misfit(entry, shape["*"], f"{place}.{name}") for name, entry in value.items()]
    complaints = []
    for name, inner in shape.items():
        bare = name.removesuffix("?")
        if bare in value:
            complaints.append(_misfit(value[bare], inner, f"{place}.{bare}"))
        elif bare == name:
            complaints.append(f"{place} lacks {name}")
    return complaints
