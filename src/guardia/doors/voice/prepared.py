"""The line's voice with every prompt at hand, by the settings: made at set-up, read again at each start."""

from guardia.doors.voice.speech import SpeechUnavailable, Voice
from guardia.kernel.environment import Settings

__all__ = ["SpeechUnavailable", "prompts"]


def prompts(own: Settings) -> Voice:
    """Return the voice, its prompts made where they are missing or their text has changed. Raises SpeechUnavailable."""
    voice = Voice(own.var / "line" / "prompts", own.line_prompts)
    voice.prepare()
    return voice
