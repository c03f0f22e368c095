"""`guardia mail work`: one worker that turns stored mail into cases, replies, refusals, or lets it wait in quarantine.

Any number may run on the machine that has the spool: each claims what no other has.
"""

from collections.abc import Sequence
from threading import Event

from guardia.doors.mail.reading.isolated import IsolatedReader
from guardia.doors.mail.verdicts import judge
from guardia.doors.mail.work import MailWorker
from guardia.features.mail.rules.arrived import Envelope, Verdict
from guardia.features.mail.rules.deciding import Limits
from guardia.kernel.environment import Settings
from guardia.kernel.outside import outside


def run(own: Settings, stop: Event) -> int:
    """Work until told to stop. Exit 0."""
    reader = IsolatedReader((own.support_email.lower(),))

    def judged(raw: bytes, envelope: Envelope, senders: Sequence[str]) -> Verdict:
        return judge(raw, envelope, senders, outside().resolver, own)

    limits = Limits(cases=own.mail_cases_per_hour, automatic=own.mail_automatic_per_hour)
    try:
        MailWorker(outside().mail_spool, reader, judged, limits).run(stop)
    finally:
        reader.close()
    return 0
