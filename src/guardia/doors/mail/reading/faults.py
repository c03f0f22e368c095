"""What was broken, left out or shut in a message, in sentences for the vendor's staff; pages translate them."""

from typing import Final

from guardia.kernel.words import gettext_noop

TEXT_CUT: Final = gettext_noop("The text is long: the rest is in the raw message.")
HTML_CUT: Final = gettext_noop("The formatted text is very large: the rest is in the raw message.")
HEAD_CUT: Final = gettext_noop("The headers are very large: the rest is in the raw message.")
NO_SEPARATOR: Final = gettext_noop("No blank line parts the headers from the text.")
CHARSET_WRONG: Final = gettext_noop("The text is not in the character set that it declares; the likeliest was taken.")
CHARSET_UNKNOWN: Final = gettext_noop("The declared character set is unknown; the likeliest was taken.")
TRANSFER_BROKEN: Final = gettext_noop("A part is encoded wrongly: it was decoded as far as it goes.")
TRANSFER_UNKNOWN: Final = gettext_noop("A part declares an unknown encoding: its bytes are kept as they came.")
BOUNDARY_MISSING: Final = gettext_noop(
    "The message says that it has parts, yet their boundary is missing or never occurs."
)
BOUNDARY_OPEN: Final = gettext_noop("The last part of the message is not closed: it may be cut off.")
STRAY_TEXT: Final = gettext_noop("There is text outside the parts: it is in the raw message.")
TOO_MANY_PARTS: Final = gettext_noop("The message has very many parts: those left over are in one attachment, unread.")
TOO_LARGE_INSIDE: Final = gettext_noop("A message inside the message is large: its files are in it, not listed.")
REMOTE_IMAGES: Final = gettext_noop("remote images blocked")
INLINE_LARGE: Final = gettext_noop("Some pictures are too large to be shown within the text: they are attached.")
ENCRYPTED_PGP: Final = gettext_noop("encrypted: PGP")
ENCRYPTED_SMIME: Final = gettext_noop("encrypted: S/MIME")
SIGNED_WRAPPED: Final = gettext_noop("The text is wrapped in an S/MIME signature: it is attached as it came.")
PARTIAL: Final = gettext_noop("The message is only a piece of a longer one (message/partial).")
EXTERNAL: Final = gettext_noop("A part lies elsewhere and was not fetched (message/external-body).")
TNEF_BROKEN: Final = gettext_noop("winmail.dat cannot be read: it is attached as it came.")
TNEF_RICH_TEXT: Final = gettext_noop("winmail.dat holds rich text that is not read: it is attached as it came.")
SEVERAL_SENDERS: Final = gettext_noop("The message names several senders.")
SENDER_ABSURD: Final = gettext_noop("The sender's address is not possible.")
NOT_READ_IN_TIME: Final = gettext_noop("not read within 2 s")
NOT_READ: Final = gettext_noop("The message could not be read: it is attached as it came.")
