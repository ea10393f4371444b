# SPDX-License-Identifier: Apache-2.0
"""Events as they are committed, whichever process works on a sync: read one by one, iterated, awaited, or heard by a callback."""
from __future__ import annotations

import asyncio
import ctypes
import math
import threading
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Iterator, NamedTuple, Optional

from . import _native, errors
from ._reader import Reader

if TYPE_CHECKING:
    from .engine import Engine

LIVE = -1                     # from now on
_SLICE_MS = 250               # a reader that waits looks so often whether it was closed


class Event(NamedTuple):
    seq: int                  #: number in the user's journal; 0 for passing progress, which is not replayed
    type: str                 #: "sync_progress", "sync.completed", …
    user: str
    data: Any                 #: the payload; amounts are Decimal
    sse: bytes                #: as a frame of a server-sent event stream, ready to be written
    journal: int = 0          #: which journal `seq` is of: a user who was erased and has come again has another one


def _event_of(handle: Any) -> Event:
    return Event(_native.number("event_seq", handle), _native.text("event_type", handle), _native.text("event_user", handle), _native.decoded(_native.raw("event_json", handle, None)), _native.raw("event_sse", handle, None), _native.number("event_journal", handle))


class Events(Reader):
    """A reader's place in the journal. `for event in events` waits for the next one until the reader or the engine is closed; `async for` does so in an event loop, by a
    descriptor and without a thread, one task at a time. Closing from another thread ends a wait within a quarter of a second; a task that awaits is to be cancelled, as its
    event loop does at its end."""

    _kind = "events"

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next event; None when none came within `timeout` seconds (None: as long as it takes). Raises ClosedError when the reader or the engine is closed."""
        left = None if timeout is None or timeout == math.inf else max(0, int(timeout * 1000))
        while True:
            part = _SLICE_MS if left is None else min(left, _SLICE_MS)
            with self._lock:
                event = self._take(part)
            if event is not None or (left is not None and left <= part):
                return event
            if left is not None:
                left -= part

    def _take(self, milliseconds: int) -> Optional[Event]:
        event = _native.EventHandle()
        self._asked("events_next", milliseconds, ctypes.byref(event))
        return _event_of(event) if event.value else None

    @property
    def sse_hello(self) -> bytes:
        """The first bytes of a server-sent event stream: how long to wait before a reconnect, and the event `connected`."""
        return self._told(_native.raw, "events_sse_hello", None)

    def fileno(self) -> int:
        """Readable when there may be something to read: then next(0) until it gives None."""
        return self._told(_native.number, "events_fd")

    def __iter__(self) -> Iterator[Event]:
        try:
            while (event := self.next()) is not None:
                yield event
        except errors.ClosedError:
            return

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        try:
            while True:
                event = self.next(0)
                if event is not None:
                    return event
                await self._readable()
        except errors.ClosedError:
            raise StopAsyncIteration from None

    async def _readable(self) -> None:
        # Listened to only meanwhile: whoever leaves the loop leaves nothing behind.
        loop, news, descriptor = asyncio.get_running_loop(), asyncio.Event(), self.fileno()
        loop.add_reader(descriptor, news.set)
        try:
            await news.wait()
        finally:
            loop.remove_reader(descriptor)


class Subscription:
    """Has a function called with every event, on a thread of the library's, one at a time and in order. What it raises goes to `on_error`, or where exceptions of threads
    go (threading.excepthook); the next event comes all the same."""

    def __init__(self, engine: "Engine", user: Optional[str], after: int, on_event: Callable[[Event], Any], on_error: Optional[Callable[[BaseException], Any]]) -> None:
        self._engine, self._closed, self._ended = engine, False, threading.Event()

        def heard(_: Any, event: Any) -> None:
            if self._closed:
                return
            _native.inside.callback = True
            try:
                on_event(_event_of(ctypes.c_void_p(event)))
            except BaseException as error:   # nothing may pass into C
                _native.report(error, on_error)
            finally:
                _native.inside.callback = False

        self._calls = _native.EVENT_FN(_native.at_home(heard)), _native.FREE_FN(lambda _: self._ended.set())   # what C calls must live as long as it calls
        self._id = ctypes.c_int64()
        engine._subscriptions.add(self)   # before it is called: what interrupts this must not take from C what it calls
        try:
            engine._call("subscribe", user, after, self._calls[0], None, self._calls[1], ctypes.byref(self._id))
        except (errors.Error, ValueError, TypeError):
            engine._subscriptions.discard(self)
            raise

    def close(self, wait: bool = False) -> None:
        """No call begins afterwards; one that runs may still end later. With `wait` it is waited for, so it must not need what the caller holds; not from inside the
        callback."""
        if not self._closed:
            self._closed = True
            # The library waits for a call that runs, so somebody else waits for the library: this thread may hold what that call needs, or be that call.
            self._ending = threading.Thread(target=self._end, name="amzsync-unsubscribe", daemon=True)
            self._ending.start()
        if wait and not getattr(_native.inside, "callback", False):
            self._ended.wait()

    def _end(self) -> None:
        try:
            self._engine._native_call("unsubscribe", self._id.value)
        except errors.ClosedError:
            return   # closing the engine ends it
        self._engine._subscriptions.discard(self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()
