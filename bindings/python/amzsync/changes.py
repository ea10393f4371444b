# SPDX-License-Identifier: Apache-2.0
"""What became of a user's rows, for hosts that keep a copy of their own."""
from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any, Iterator, Optional

from . import _native, errors

if TYPE_CHECKING:
    from .engine import Engine


class Changes:
    """A reader's place in a user's changes: {"seq", "stream", "id", "op": "put" or "delete", "row"}. Iterating ends where everything that is committed was given; a later
    iteration may find more. To be closed, or used in a `with`."""

    def __init__(self, engine: "Engine", user: str, after: int, streams: Optional[str]) -> None:
        self._lock = threading.Lock()
        self._handle: Optional[ctypes.c_void_p] = engine._open_handle("changes_open", user, streams, after)
        self._engine = engine
        engine._readers.add(self)

    def next(self) -> Optional[Any]:
        """The next change; None when everything that is committed was given."""
        text, size = ctypes.c_char_p(), ctypes.c_size_t()
        with self._lock:
            self._engine._call("changes_next", self._opened(), ctypes.byref(text), ctypes.byref(size), handle=False)
            return None if text.value is None else _native.decoded(text.value)

    def __iter__(self) -> Iterator[Any]:
        while (change := self.next()) is not None:
            yield change

    @property
    def position(self) -> int:
        """Number of the last change that was given; where to go on."""
        with self._lock:
            return _native.number("changes_position", self._opened())

    @property
    def gap(self) -> bool:
        """Whether the number to begin after was no longer kept, so that the copy must be begun anew."""
        with self._lock:
            return bool(_native.number("changes_gap", self._opened()))

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def _opened(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise errors.of_code(4)
        return self._handle

    def close(self) -> None:
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                _native.function("changes_close")(handle)
        self._engine._readers.discard(self)

    def __enter__(self) -> "Changes":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()
