"""Room on the disk: told before it is gone, as a full disk would stop decisions and profiles, too."""

from __future__ import annotations

import shutil
from pathlib import Path

from api.services.writer import Busy

LOW_FACTOR = 4  # below so many times the least room, people are told


class Disk:
    """The file system of a folder, with the least free space that ingestion leaves on it; 0 asks for none."""

    def __init__(self, folder: Path, min_free_bytes: int) -> None:
        self._folder = folder
        self.min_free_bytes = min_free_bytes

    @property
    def free_bytes(self) -> int:
        """What is free now."""
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free

    @property
    def state(self) -> str:
        """``ok``, ``low`` or ``full``."""
        free = self.free_bytes
        if free < self.min_free_bytes:
            return "full"
        return "low" if free < LOW_FACTOR * self.min_free_bytes else "ok"

    def check(self) -> None:
        """Raise Busy where less is free than is to be left."""
        if self.min_free_bytes and self.free_bytes < self.min_free_bytes:
            raise Busy(f"the disk is nearly full (less than {self.min_free_bytes >> 20} MiB are free): try again")
