"""Alerts to a web address: a group robot of WeCom (企业微信) or DingTalk (钉钉), or anything that takes
a POST.

Python's own client does: one small request an hour or so. Redirections are not followed, so the
message goes to the host that was set and no other; certificates are checked. A robot answers 200
even when it refuses: what it says in `errcode` counts. The address holds the robot's key and is in
no error.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any, Literal

from mailbot.app.errors import Retryable

Format = Literal["wecom", "dingtalk", "plain"]
_MOST_BYTES = {"wecom": 2000, "dingtalk": 18_000, "plain": 60_000}
"""WeCom takes 2048 bytes of text, DingTalk 20000 of the whole request."""
_ANSWER_BYTES = 65_536


class WebhookChannel:
    """`app.alerts.Channel`."""

    name = "webhook"

    def __init__(self, url: str, form: Format, seconds: float = 15.0) -> None:
        self._url, self._form, self._seconds = url, form, seconds
        self._opener = urllib.request.build_opener(_NoRedirection)

    def tell(self, title: str, text: str) -> None:
        body, kind = self._body(cut(f"{title}\n{text}", _MOST_BYTES[self._form]))
        request = urllib.request.Request(
            self._url,
            data=body,
            headers={"Content-Type": kind, "User-Agent": "mailbot"},
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=self._seconds) as response:
                answer = response.read(_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            error.close()
            raise Retryable(f"HTTP {error.code}", code=f"http_{error.code}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Not the error itself: some of them quote the address.
            raise Retryable(f"not reached ({type(error).__name__})", code="connect") from None
        if self._form != "plain":
            _check_robot(answer)

    def _body(self, text: str) -> tuple[bytes, str]:
        if self._form == "plain":
            return text.encode(), "text/plain; charset=utf-8"
        message = {"msgtype": "text", "text": {"content": text}}
        return json.dumps(message, ensure_ascii=False).encode(), "application/json; charset=utf-8"


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None  # the answer 30x then counts as the error it is here


def _check_robot(answer: bytes) -> None:
    try:
        code = json.loads(answer)["errcode"]
    except (ValueError, TypeError, KeyError):
        raise Retryable("the answer is not a robot's", code="alert_robot") from None
    if code != 0:
        shown = code if isinstance(code, int) else "?"
        raise Retryable(f"the robot refused: errcode {shown}", code=f"errcode_{shown}")


def cut(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, no sign halved."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return raw[: most - 3].decode("utf-8", "ignore") + "…"
