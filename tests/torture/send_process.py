"""What a sending process of the torture test runs: send what is due, again and again, until nothing waits."""

import sys

import django

django.setup()

from guardia.adapters.mail_transport import SmtpTransport  # noqa: E402  Django first
from guardia.journeys.send_mail import send_due  # noqa: E402
from guardia.kernel import clock  # noqa: E402
from guardia.kernel.outside import replaced  # noqa: E402
from guardia.reports.own_letters import mail_bytes  # noqa: E402

if __name__ == "__main__":
    with replaced(mail_transport=SmtpTransport(sys.argv[1], "guardia.example", timeout_s=10)):
        while send_due(clock.now, mail_bytes).sent:
            pass
