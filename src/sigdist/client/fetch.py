"""Fetches a lane's metadata and files with python-tuf's own client, which verifies everything.

Rules:
1. Trust starts at the pinned root each time; python-tuf keeps what it has verified, for protection against rollback.
2. One file may take at most its time limit in all, however slowly a server drips.
3. What python-tuf refuses becomes one UpdateRefused; nothing is read that it has not verified.
"""

from pathlib import Path

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import Updater

from sigdist.client.connection import FILE_TIMEOUT_S, SOCKET_TIMEOUT_S, PatientFetcher
from sigdist.client.refusals import UpdateRefused
from sigdist.client.trust import ROLE_OF_LANE, Offer, explain, read_offer
from sigdist.records import RELEASE_FILE


class Feed:
    """One look at one lane. `offer` refreshes once; `download` fetches the offer's files."""

    def __init__(
        self,
        lane: str,
        metadata_folder: Path,
        metadata_url: str,
        targets_url: str,
        root: bytes,
        *,
        file_timeout_s: float = FILE_TIMEOUT_S,
        socket_timeout_s: float = SOCKET_TIMEOUT_S,
    ) -> None:
        self._lane = lane
        self._folder = metadata_folder
        self._url = metadata_url
        try:
            self._updater = Updater(
                metadata_dir=str(metadata_folder),
                metadata_base_url=metadata_url,
                target_base_url=targets_url,
                fetcher=PatientFetcher(metadata_url, file_timeout_s=file_timeout_s, socket_timeout_s=socket_timeout_s),
                bootstrap=root,
            )
        except exceptions.RepositoryError as error:
            raise explain(error, "the pinned root") from error

    def offer(self) -> Offer:
        """What the lane offers now, verified. Raises UpdateRefused."""
        what = f"the metadata of lane {self._lane}"
        if self._lane not in ROLE_OF_LANE:
            raise UpdateRefused("wrong_lane", f"lane {self._lane!r} is not one that this agent knows; update the agent")
        role = ROLE_OF_LANE[self._lane]
        try:
            self._updater.refresh()
            # Looking a target up is what makes python-tuf load and verify the delegated role.
            found = self._updater.get_targetinfo(RELEASE_FILE)
            if found is None:
                raise UpdateRefused("malformed", f"{what} lists no {RELEASE_FILE}")
            verified: Metadata[Targets] = Metadata.from_file(str(self._folder / f"{role}.json"))
        except (exceptions.RepositoryError, exceptions.DownloadError) as error:
            raise explain(error, what) from error
        return read_offer(verified.signed, self._lane)

    def download(self, name: str, path: Path) -> None:
        """Fetch the target `name` to `path`, where it only comes when it is what was signed. Raises UpdateRefused."""
        try:
            target = self._updater.get_targetinfo(name)
            if target is None:
                raise UpdateRefused("malformed", f"{name} is not among the files of lane {self._lane}")
            self._updater.download_target(target, str(path))
        except exceptions.LengthOrHashMismatchError as error:
            raise UpdateRefused(
                "tampered", f"{name} is not what was signed, it was changed on the way: {error}"
            ) from error
        except (exceptions.RepositoryError, exceptions.DownloadError) as error:
            raise explain(error, name) from error
