"""Checks of what watches over mailbot: the second channels and the health page. Nothing is sent
unless `send` asks for it."""

from __future__ import annotations

import secrets
import shutil
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator

from mailbot.adapters.alerting.channels import channels
from mailbot.adapters.i18n import _
from mailbot.adapters.settings.accounts import alert_secret
from mailbot.adapters.settings.checks import is_loopback
from mailbot.adapters.settings.model import Settings
from mailbot.adapters.signing import Signer, load_or_create_secret
from mailbot.app.alerts import Channel
from mailbot.app.doctor import Check, State
from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.ports import Clock

_SECONDS = 5.0
_TEST = "这是 mailbot doctor --alerts 发出的测试消息，收到即说明这条通道可用，不必处理。"


def check_watching(settings: Settings, clock: Clock, *, send: bool) -> Iterator[Check]:
    if settings.health:
        yield _health(settings.health)
    found = channels(settings.alerts, _signer(settings), clock)
    if not found:
        if send:
            told = _("nobody is told of troubles (see [alerts] in config/mailbot.example.toml)")
            yield Check("alerts", _("alerts"), State.SKIP, told)
        return
    yield _alerts(settings, found)
    if send:
        for channel in found:
            yield _sent(channel)


def _signer(settings: Settings) -> Signer:
    """The installation's, where there is one: a look creates none."""
    path = settings.secret_path
    return Signer(load_or_create_secret(path) if path.exists() else secrets.token_bytes(32))


def _alerts(settings: Settings, found: list[Channel]) -> Check:
    title, alerts = _("alerts"), settings.alerts
    if alerts.command and shutil.which(alerts.command[0]) is None:
        return Check(
            "alerts",
            title,
            State.FAIL,
            _("{path} is no program that can be run").format(path=alerts.command[0]),
            _("correct alerts.command, or give the program the right to be run: chmod +x"),
        )
    if alerts.smtp is not None and alerts.smtp.login:
        try:
            alert_secret(alerts)()
        except OperatorFault as fault:
            one = fault.faults[0]
            return Check("alerts", title, State.FAIL, f"{one.where}: {one.found}", one.remedy)
    if alerts.webhook and _open_to_others(settings):
        return Check(
            "alerts",
            title,
            State.WARN,
            _("{path}: other users can read the robot's address in it").format(path=settings.file),
            f"chmod 600 {settings.file}",
        )
    return Check("alerts", title, State.OK, "、".join(channel.name for channel in found))


def _open_to_others(settings: Settings) -> bool:
    """Does the robot's address stand in a file that everybody may read."""
    if settings.file is None or settings.alerts.webhook not in settings.file.read_text("utf-8"):
        return False
    return bool(stat.S_IMODE(settings.file.stat().st_mode) & 0o044)


def _sent(channel: Channel) -> Check:
    name, title = f"alerts.test:{channel.name}", _("test message")
    try:
        channel.tell("mailbot：测试消息", _TEST)
    except OperatorFault as fault:
        one = fault.faults[0]
        return Check(name, title, State.FAIL, f"{one.where}: {one.found}", one.remedy)
    except WorldFault as fault:
        return Check(
            name,
            title,
            State.FAIL,
            f"{channel.name}: {fault}",
            _("correct [alerts], then once more: mailbot doctor --alerts"),
        )
    told = _("{channel} took it; look whether it arrived").format(channel=channel.name)
    return Check(name, title, State.OK, told)


def _health(address: str) -> Check:
    """Either mailbot answers there already, or the port is free."""
    title = _("health page")
    host, _colon, port = address.rpartition(":")
    if _answers(host, port):
        told = _("{address} answers").format(address=address)
        return Check("health", title, State.OK, told)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            line.bind((host.strip("[]"), int(port)))
    except OSError as error:
        return Check(
            "health",
            title,
            State.FAIL,
            _("{address} cannot be used: {error}").format(
                address=address, error=error.strerror or error
            ),
            _("another program has the port, or the address is not this machine's: change health"),
        )
    return Check("health", title, State.OK, _("{address} is free").format(address=address))


def _answers(host: str, port: str) -> bool:
    there = host if is_loopback(host.strip("[]")) else "127.0.0.1"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{there}:{port}/healthz", timeout=_SECONDS) as answer:
            return bool(answer.headers.get("Server") == "mailbot")
    except urllib.error.HTTPError as error:  # 503: it is there, and says that it is not well
        error.close()
        return error.headers.get("Server") == "mailbot"
    except (OSError, ValueError):
        return False
