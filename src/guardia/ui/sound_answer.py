"""An answer that a page's player plays: a WAV file that is kept nowhere on its way."""

from django.http import HttpResponse


def sound_answer(wav: bytes) -> HttpResponse:
    """Return a WAV file for a player; no cache keeps it, so that what is erased is gone."""
    answer = HttpResponse(wav, content_type="audio/wav")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer
