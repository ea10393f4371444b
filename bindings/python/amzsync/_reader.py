# SPDX-License-Identifier: Apache-2.0
"""What readers of events and of changes have in common: a place, a lock, and an end."""
from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from . import _native, errors

if TYPE_CHECKING:
    from .engine import Engine

_Self = TypeVar("_Self", bound="Reader")
_Value = TypeVar("_Value")


class Place:
    """What C has opened for a reader. The engine holds it until C has closed it, for a reader may be lost on its way: to a signal's exception, even in its own end."""

    def __init__(self, kind: str) -> None:
        self.kind, self.handle = kind, ctypes.c_void_p()
        self.lock = threading.RLock()   # a signal's handler may close the reader that its thread is at

    def close(self) -> None:
        with self.lock:
            if self.handle.value is not None:
                _native.function(self.kind + "_close")(self.handle)
                self.handle.value = None


class Reader:
    """To be closed, or used in a `with`; one that is forgotten is closed, and so are all when the engine is. Any thread may call it; one at a time gets through."""

    _kind = ""   # how its functions' names begin

    def __init__(self, engine: "Engine", *arguments: Any) -> None:
        self._engine, self._place = engine, Place(self._kind)
        engine._places.add(self._place)   # before it is open
        engine._call(self._kind + "_open", *arguments, ctypes.byref(self._place.handle))

    @property
    def _lock(self) -> "threading.RLock":
        return self._place.lock

    @property
    def position(self) -> int:
        """Number of the last one that was given; where to go on. 0 for a reader of all users, and for one of changes that is not through with what was there before."""
        return self._told(_native.number, self._kind + "_position")

    @property
    def gap(self) -> bool:
        """Whether some of what was asked for is no longer kept; a copy of rows must then be begun anew."""
        return bool(self._told(_native.number, self._kind + "_gap"))

    @property
    def closed(self) -> bool:
        return self._place.handle.value is None

    def _opened(self) -> ctypes.c_void_p:
        handle = self._place.handle.value
        if handle is None:
            raise errors.of_code(4)
        return ctypes.c_void_p(handle)   # of the call's own, as the engine's

    def _told(self, way: "Callable[..., _Value]", name: str, *arguments: Any) -> _Value:
        """By a function that knows no errors: what it tells of a reader that is closed means nothing."""
        with self._lock:
            value = way(name, self._opened(), *arguments)
            self._opened()
            return value

    def _asked(self, name: str, *arguments: Any) -> None:
        handle = self._opened()
        try:
            self._engine._call_aside(name, handle, *arguments)
        except errors.ArgumentError:
            self._opened()   # it was closed on the way
            raise

    def close(self) -> None:
        """In a forked child, whose parent has the reader, it only ends here."""
        self._place.close()
        self._engine._places.discard(self._place)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_place"):
            self.close()
