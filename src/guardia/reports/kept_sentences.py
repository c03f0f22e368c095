"""Sentences that events and lab results keep in English, told in the reader's language.

Whoever writes such a sentence (the lab worker, a machine, an automatic step) has no reader yet, so it is kept in one
language. Each form stands here once, with its named parts; `told` finds the form and says it again in the reader's
words. What people wrote, and any sentence without a form here, is shown as it is.
"""

import re

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guardia.kernel.words import gettext_noop

ENGINES = {"yara-x": "YARA-X", "clamav": "ClamAV"}
NESTED = frozenset({"first", "what", "names"})
"""Parts that are themselves such sentences."""
NUMBERS = frozenset({"cases", "clean", "count", "hits", "length", "memory", "offset", "seconds", "skipped", "times"})

FORMS = (
    # the steps that nobody takes by hand
    gettext_noop("Verified on %(machine)s with release %(label)s."),
    gettext_noop("The %(lane)s lane does not show release %(label)s yet."),
    gettext_noop("The machine has %(have)s, the correction is in %(fixed)s. Run guardia-agent update."),
    gettext_noop("The proof is about other files: %(missing)s of the case's are missing."),
    gettext_noop("Still failing on the machine: %(files)s."),
    # the gates: first the summaries, then what failed
    gettext_noop("Every engine detects all %(count)s sample(s) of the case"),
    gettext_noop("No engine detects any of the %(count)s sample(s) of the case"),
    gettext_noop("All %(count)s sample(s) of %(cases)s closed case(s) keep their verdict in every engine"),
    gettext_noop("There is no closed case yet"),
    gettext_noop("All %(count)s detection(s) of %(samples)s malware sample(s) are kept"),
    gettext_noop("There is no malware sample on file"),
    gettext_noop("%(engine)s: the changed records hit %(hits)s of %(clean)s clean files"),
    gettext_noop(
        "%(engine)s: the changed records hit %(hits)s of %(clean)s clean files, "
        "%(skipped)s file(s) are over the engine's limits"
    ),
    gettext_noop(
        "%(engine)s: the whole build (an allow or ignore entry goes away) hit %(hits)s of %(clean)s clean files"
    ),
    gettext_noop("%(engine)s: nothing that detects was added or changed, so no scan is needed"),
    gettext_noop("All %(count)s changed record(s) are well-formed and say where they come from"),
    gettext_noop("No record is added or changed"),
    gettext_noop("%(count)s complaint(s); the first: %(first)s"),
    gettext_noop("%(engine)s loads in %(seconds)s s with %(memory)s MiB"),
    gettext_noop("the self-test set is scanned, twice"),
    gettext_noop("%(what)s (and %(count)s more)"),
    gettext_noop("%(engine)s hits a clean file (%(rule)s)"),
    gettext_noop("%(engine)s hits a clean file"),
    gettext_noop("%(engine)s did not scan a clean file: %(reason)s"),
    gettext_noop("%(engine)s does not detect the case's sample %(file)s of case %(case)s"),
    gettext_noop("%(engine)s does not detect the sample of a closed case %(file)s of case %(case)s"),
    gettext_noop("%(engine)s detects the case's sample %(file)s of case %(case)s, which is clean (%(rule)s)"),
    gettext_noop("%(engine)s detects the sample of a closed case %(file)s of case %(case)s, which is clean (%(rule)s)"),
    gettext_noop("%(engine)s detected %(file)s as %(names)s; with this build it is not detected"),
    gettext_noop("%(engine)s does not load the build: %(reason)s"),
    gettext_noop("%(name)s: lacks the metadata `%(key)s`"),
    # the proposals
    gettext_noop("Detect a byte sequence"),
    gettext_noop("Detect the exact file"),
    gettext_noop("Except exactly these files"),
    gettext_noop("Withdraw the detection"),
    gettext_noop(
        "The sample repeats these %(length)s bytes %(times)s times (from offset %(offset)s); no file of the clean "
        "corpus and no known clean sample holds them, in either engine. A changed copy that keeps them is detected as "
        "well."
    ),
    gettext_noop(
        "All %(samples)s samples hold these %(length)s bytes (from offset %(offset)s); no file of the clean corpus "
        "and no known clean sample holds them, in either engine. A changed copy that keeps them is detected as well."
    ),
    gettext_noop("Detects exactly these files and nothing else: a copy with one changed byte is missed."),
    gettext_noop(
        "Detects exactly these files and nothing else: a copy with one changed byte is missed. No byte sequence of "
        "substance is shared by the samples and absent from the clean files."
    ),
    gettext_noop(
        "%(names)s fire(s) on the sample; the exception names exactly this content, everything else stays detected."
    ),
    gettext_noop(
        "Stops %(names)s altogether: for a detection that is wrong as such. ClamAV's signature is ignored as long as "
        "its line stays what it is."
    ),
    gettext_noop("%(names)s and %(count)s more"),
    gettext_noop("%(engine)s: %(count)s known sample(s) would change: %(names)s is no longer detected"),
    gettext_noop("%(engine)s: %(count)s known sample(s) would change: %(names)s is detected although it is clean"),
)


def _place(name: str) -> str:
    shape = "[0-9.]+" if name in NUMBERS else "[a-z-]+" if name == "engine" else ".+?"
    return f"(?P<{name}>{shape})"


def _pattern(form: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", form)
    places = [*map(_place, parts[1::2]), ""]
    return re.compile(
        "".join(re.escape(text) + place for text, place in zip(parts[::2], places, strict=True)), re.DOTALL
    )


_PATTERNS = tuple((form, _pattern(form)) for form in sorted(FORMS, key=len, reverse=True))


def told(sentence: str) -> str:
    """Return the sentence in the reader's language; one without a form here as it is."""
    found = _found(sentence)
    if found is None:
        parts = [_found(part) for part in sentence.split("; ")]
        found = "; ".join(part for part in parts if part is not None) if all(parts) else None
    return sentence if found is None else found


def is_foreign(sentence: str) -> bool:
    """Whether a kept sentence stays English before a reader of another language."""
    return not (get_language() or "en").startswith("en") and told(sentence) == sentence


def _found(sentence: str) -> str | None:
    if not sentence:
        return None
    for form, pattern in _PATTERNS:
        if held := pattern.fullmatch(sentence):
            return _(form) % {name: _part(name, value) for name, value in held.groupdict().items()}
    said = _(sentence)
    return said if said != sentence else None


def _part(name: str, value: str) -> str:
    return told(value) if name in NESTED else ENGINES.get(value, value)
