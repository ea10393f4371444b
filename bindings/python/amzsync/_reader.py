# SPDX-License-Identifier: Apache-2.0
"""What readers of events and of changes have in common: a place, a lock, and an end."""
from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from . import _native, errors

if TYPE_CHECKING:
    from .engine import Engine

_Self = TypeVar("_Self", bound="Reader")


class Reader:
    """To be closed, or used in a `with`; one that is forgotten is closed, and so are all when the engine is. Any thread may call it; one at a time gets through."""

    _kind = ""   # how its functions' names begin

    def __init__(self, engine: "Engine", *arguments: Any) -> None:
        self._lock = threading.Lock()
        self._engine = engine
        self._handle: Optional[ctypes.c_void_p] = engine._open_handle(self._kind + "_open", *arguments)
        engine._readers.add(self)

    @property
    def position(self) -> int:
        """Number of the last one that was given; where to go on. 0 for a reader of all users, and for one of changes that is not through with what was there before."""
        with self._lock:
            return _native.number(self._kind + "_position", self._opened())

    @property
    def gap(self) -> bool:
        """Whether some of what was asked for is no longer kept; a copy of rows must then be begun anew."""
        with self._lock:
            return bool(_native.number(self._kind + "_gap", self._opened()))

    @property
    def closed(self) -> bool:
        return self._handle is None

    def _opened(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise errors.of_code(4)
        return self._handle

    def close(self) -> None:
        """In a forked child, whose parent has the reader, it only ends here."""
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                _native.function(self._kind + "_close")(handle)
        self._engine._readers.discard(self)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()
