# SPDX-License-Identifier: Apache-2.0
"""Parts that a host lends: its HTTP client, its vault for refresh tokens."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, Iterable, NamedTuple, Optional, Protocol, Union

from . import _native, errors

_OK, _NOT_FOUND, _TIMEOUT, _CANCELLED, _NETWORK_ERROR, _UNAVAILABLE = 0, 3, 9, 11, 63, 80
_ONCE, _PUBLIC_ONLY = 1, 2


class HttpRequest(NamedTuple):
    """One exchange with Amazon, for a client of the host's. Headers and body hold tokens: they belong into no log."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    timeout: float
    """Seconds; in a long download the longest silence."""
    once: bool
    """What may have reached the server must not be sent again."""
    public_only: bool
    """The address must not be one of this machine or its networks, whatever the name resolves to."""


class HttpResponse(NamedTuple):
    """The answer, whatever its status; all headers. A body of many pieces is read as fast as the library takes them."""

    status: int
    headers: Iterable[tuple[str, str]]
    body: Union[bytes, bytearray, memoryview, Iterable[bytes]]


HttpClient = Callable[[HttpRequest], HttpResponse]
"""Performs an exchange, verifies certificates and follows no redirect. What it raises means that there was no answer: TimeoutError, or anything else, which also goes where exceptions of threads go. Called from several threads."""


class TokenStore(Protocol):
    """Keeps refresh tokens under names, each of which is used once. What a method raises means that it failed. Called from several threads."""

    def put(self, user: str, name: str, token: str) -> None: ...

    def get(self, name: str) -> Optional[str]:
        """None: there is none, and the seller must authorise again."""

    def remove(self, name: str) -> None:
        """What is not there was removed."""


_lent: dict[int, Any] = {}   # kept until C says that it is done with it


def _lend(options: ctypes.c_void_p, setter: str, table: ctypes.Structure) -> None:
    free = _native.FREE_FN(lambda number: _lent.pop(number, None))
    _lent[id(table)] = (table, free)
    table.size = ctypes.sizeof(table)
    err = _native.ErrorHandle()
    code = _native.function(setter)(options, ctypes.byref(table), id(table), free, ctypes.byref(err))
    if code != _OK:
        _lent.pop(id(table), None)
        raise errors.taken(code, err)


def _text(name: str, *arguments: Any) -> str:
    return _native.raw(name, *arguments).decode(errors="replace")


def _request(exchange: Any) -> HttpRequest:
    headers: list[tuple[str, str]] = []
    value = ctypes.c_char_p()
    while True:
        name = _native.function("exchange_header")(exchange, len(headers), ctypes.byref(value))
        if name is None:
            break
        headers.append((name.decode(), (value.value or b"").decode(errors="replace")))
    size = ctypes.c_size_t()
    body = _native.function("exchange_body")(exchange, ctypes.byref(size))
    rules = _native.number("exchange_rules", exchange)
    return HttpRequest(_text("exchange_method", exchange), _text("exchange_url", exchange), headers, ctypes.string_at(body, size.value), _native.number("exchange_timeout_ms", exchange) / 1000,
                       bool(rules & _ONCE), bool(rules & _PUBLIC_ONLY))


class _Unwanted(Exception):
    """Nobody waits for the answer any more."""


def _tell(exchange: Any, response: HttpResponse) -> None:
    def told(name: str, *arguments: Any) -> None:
        code = _native.number(name, exchange, *arguments)
        if code == _CANCELLED:
            raise _Unwanted
        if code != _OK:
            raise errors.of_code(code)   # half an answer is none

    told("exchange_answer", response.status)
    for name, value in response.headers:
        told("exchange_answer_header", name, value)
    for piece in [response.body] if isinstance(response.body, (bytes, bytearray, memoryview)) else response.body:
        data = bytes(memoryview(piece))   # a number is none
        told("exchange_answer_body", data, len(data))


def lend_http_client(options: ctypes.c_void_p, client: HttpClient) -> None:
    def perform(_: Any, exchange: Any) -> None:
        code, why = _OK, None
        try:
            _tell(exchange, client(_request(exchange)))
        except _Unwanted:
            pass
        except TimeoutError:
            code = _TIMEOUT
        except BaseException as error:   # nothing may pass into C
            _native.report(error, None)
            code, why = _NETWORK_ERROR, f"The host's HTTP client raised {type(error).__name__}.".encode()   # its text may hold a token
        _native.function("exchange_finish")(exchange, code, why)

    _lend(options, "options_set_http_client", _native.HttpClient(perform=_native.PERFORM_FN(_native.at_home(perform))))


def lend_token_store(options: ctypes.c_void_p, tokens: TokenStore) -> None:
    def done(call: Any, work: Callable[[], Optional[str]], nothing: int) -> None:
        try:
            token = work()
            _native.function("token_call_done")(call, nothing if token is None else _OK, token, None)
        except BaseException as error:   # nothing may pass into C
            _native.report(error, None)
            _native.function("token_call_done")(call, _UNAVAILABLE, None, f"It raised {type(error).__name__}.".encode())

    def put(_: Any, user: bytes, name: bytes, token: bytes, call: Any) -> None:
        done(call, lambda: tokens.put(user.decode(), name.decode(), token.decode()), _OK)

    def get(_: Any, name: bytes, call: Any) -> None:
        done(call, lambda: tokens.get(name.decode()), _NOT_FOUND)

    def remove(_: Any, name: bytes, call: Any) -> None:
        done(call, lambda: tokens.remove(name.decode()), _OK)

    _lend(options, "options_set_token_store", _native.TokenStore(put=_native.PUT_TOKEN_FN(_native.at_home(put)), get=_native.TOKEN_FN(_native.at_home(get)), remove=_native.TOKEN_FN(_native.at_home(remove))))
