"""`guardia mail listen`: listener, IMAP fetcher and a sign of life, in one process without a database.

Every `BEAT_S` it leaves a sign of life beside the spool, with what it has done since its start, for the health page.
"""

import asyncio
import logging
import sys
import threading
from dataclasses import asdict
from datetime import timedelta
from threading import Event
from typing import Final

from guardia.doors.mail.imap_fetch import Fetcher
from guardia.doors.mail.keeper import Keeper
from guardia.doors.mail.limits import Limits
from guardia.doors.mail.listener import Reception, start
from guardia.kernel import clock
from guardia.kernel.environment import Settings
from guardia.kernel.outside import MailSpool
from guardia.wiring import mail_spool

BEAT_S: Final = 5.0
LEAVE_WITHIN_S: Final = 5.0
LOOK_S: Final = 0.2
UNFINISHED: Final = timedelta(hours=1)
_log = logging.getLogger("guardia.mail.listener")


def run(own: Settings, stop: Event) -> int:
    """Listen and fetch until told to stop. Exit 0 when stopped, 1 where it cannot listen."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd logs what strangers send, line by line
    spool = mail_spool(own)
    spool.sweep(clock.now() - UNFINISHED)
    fetcher = Fetcher(own.imap_url.reveal(), spool) if own.imap_url.reveal() else None
    thread = threading.Thread(target=fetcher.run, args=(stop,), name="imap", daemon=True) if fetcher else None
    if thread:
        thread.start()
    try:
        asyncio.run(_listen(own, spool, fetcher, stop))
    except OSError as error:
        sys.stderr.write(f"guardia: cannot listen for mail on {own.mail_host}: {error.strerror or error}\n")
        return 1
    finally:
        stop.set()
        if thread:
            thread.join(LEAVE_WITHIN_S)
    return 0


async def _listen(own: Settings, spool: MailSpool, fetcher: Fetcher | None, stop: Event) -> None:
    keeper = Keeper(spool)
    reception = Reception(own, keeper, Limits(own.mail_rate, own.mail_connections, own.mail_trusted_peers))
    servers = await start(reception)
    loop, next_beat = asyncio.get_running_loop(), 0.0
    while not stop.is_set():
        if loop.time() >= next_beat:
            _beat(spool, reception, fetcher)
            next_beat = loop.time() + BEAT_S
        await asyncio.sleep(LOOK_S)
    for server in servers:
        server.close()
    for _ in range(round(LEAVE_WITHIN_S / LOOK_S)):
        if not reception.counts.in_flight:
            break
        await asyncio.sleep(LOOK_S)  # what is on its way in may still be told 250
    keeper.close()
    await asyncio.sleep(0)  # the last replies


def _beat(spool: MailSpool, reception: Reception, fetcher: Fetcher | None) -> None:
    told = {**asdict(reception.counts), "imap": fetcher.told() if fetcher else None}
    try:
        spool.beat(told, clock.now())
    except OSError as error:  # a full disk: the sign of life grows old, which the health page shows
        _log.error("no sign of life: %s", error)
