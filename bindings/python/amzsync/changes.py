# SPDX-License-Identifier: Apache-2.0
"""What became of a user's rows, for hosts that keep a copy of their own."""
from __future__ import annotations

import ctypes
from typing import Any, Iterator, Optional

from . import _native
from ._reader import Reader


class Changes(Reader):
    """A reader's place in a user's changes: {"seq", "stream", "id", "op": "put" or "delete", "row"}. Iterating ends where everything that is committed was given; a later
    iteration may find more."""

    _kind = "changes"

    def next(self) -> Optional[Any]:
        """The next change; None when everything that is committed was given."""
        text, size = ctypes.c_char_p(), ctypes.c_size_t()
        with self._lock:
            self._asked("changes_next", ctypes.byref(text), ctypes.byref(size))
            return None if text.value is None else _native.decoded(text.value)

    def __iter__(self) -> Iterator[Any]:
        while (change := self.next()) is not None:
            yield change
