"""Lines of the timeline about other cases: joined and parted, split off, taken for the same problem or not."""

from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases.models import CaseEvent
from guardia.kernel.ids import spoken

Line = dict[str, Any]


class DuplicateLines:
    """One method for each type of event, as `Teller` asks for them."""

    def _merged(self, event: CaseEvent) -> Line:
        return _other(event, "git-merge", _("Joined with case %(number)s"))

    def _merged_from(self, event: CaseEvent) -> Line:
        return _other(event, "git-merge", _("Case %(number)s was joined with this one"))

    def _merge_undone(self, event: CaseEvent) -> Line:
        title = _("Parted from case %(number)s again: it goes on as if it had never been joined")
        return _other(event, "arrow-back-up", title)

    def _merge_taken_back(self, event: CaseEvent) -> Line:
        return _other(event, "arrow-back-up", _("Case %(number)s was parted from this one again"))

    def _split_to(self, event: CaseEvent) -> Line:
        return _other(event, "arrows-split", _("Case %(number)s was split off"))

    def _split_from(self, event: CaseEvent) -> Line:
        return _other(event, "arrows-split", _("Split off case %(number)s; it spends no premium incident"))

    def _not_duplicate(self, event: CaseEvent) -> Line:
        line = _other(event, "git-merge", _("Not the same problem as case %(number)s"))
        return {**line, "tag": _("Only staff see this")}

    def _duplicate_again(self, event: CaseEvent) -> Line:
        line = _other(event, "git-merge", _("Perhaps the same problem as case %(number)s after all"))
        return {**line, "tag": _("Only staff see this")}


def _other(event: CaseEvent, icon: str, title: str) -> Line:
    number = spoken(event.payload["number"])
    return {"icon": icon, "title": title % {"number": number}, "detail": event.payload.get("reason", "")}
