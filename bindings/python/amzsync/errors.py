# SPDX-License-Identifier: Apache-2.0
"""What a call can fail with, by class. Every one says its `code` and `name` as in amzsync.h, a sentence, and whether a retry helps."""
from __future__ import annotations

from typing import Type

from . import _native

RETRY_NEVER, RETRY_LATER, RETRY_AFTER_REAUTH = 0, 1, 2


class Error(Exception):
    """`code` and `name`: of amzsync.h, stable. `retry`: RETRY_NEVER, RETRY_LATER or RETRY_AFTER_REAUTH. `http_status`, `api_code`, `request_id`: of Amazon's answer,
    where there was one; its support asks for the last."""

    def __init__(self, code: int, message: str, retry: int = RETRY_NEVER, http_status: int = 0, api_code: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.code, self.retry, self.http_status, self.api_code, self.request_id = code, retry, http_status, api_code, request_id

    @property
    def name(self) -> str:
        return _native.text("status_name", self.code)


class ArgumentError(Error, ValueError):
    """An argument, or a setting, is wrong."""


class NotFoundError(Error, LookupError):
    """There is no such thing of this user's."""


class ClosedError(Error):
    """The engine, or what was opened of it, is closed."""


class DeadlockError(Error):
    """The call would wait for itself: it was made inside a callback."""


class OutOfMemoryError(Error, MemoryError):
    pass


class WaitTimeout(Error, TimeoutError):
    """What was waited for goes on."""


class ForkedError(Error):
    """The process was forked while an engine was open: its threads are in the parent, and no other can be opened here."""


class AuthorisationError(Error):
    """Of the seller's authorisation, or the application's."""


class NotConnectedError(AuthorisationError):
    """The user never connected a seller, or disconnected."""


class NeedsReauthError(AuthorisationError):
    """Amazon no longer accepts the connection; the seller has to authorise it again."""


class SyncError(Error):
    """Of a sync's own course."""


class AmazonError(Error):
    """Amazon answered with an error, wrongly, or not at all."""


class StoreError(Error):
    """The database can't be used."""


_BY_CODE: dict[int, Type[Error]] = {1: ArgumentError, 2: ArgumentError, 3: NotFoundError, 4: ClosedError, 5: DeadlockError, 7: OutOfMemoryError, 9: WaitTimeout, 13: ForkedError, 20: NotConnectedError, 21: NeedsReauthError}
_BY_GROUP: dict[int, Type[Error]] = {2: AuthorisationError, 3: AuthorisationError, 4: SyncError, 6: AmazonError, 8: StoreError}


def class_of(code: int) -> Type[Error]:
    return _BY_CODE[code] if code in _BY_CODE else _BY_GROUP.get(code // 10, Error)


def of_code(code: int) -> Error:
    """An error of which only the code is known."""
    return class_of(code)(code, _native.text("status_sentence", code))


def taken(code: int, handle: _native.ErrorHandle) -> Error:
    """The error that a call has given out."""
    if not handle.value:
        return of_code(code)
    number, text = _native.number, _native.text
    return class_of(code)(code, text("error_message", handle), number("error_retry", handle), number("error_http_status", handle), text("error_api_code", handle), text("error_request_id", handle))
