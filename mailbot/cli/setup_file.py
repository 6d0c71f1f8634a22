"""The configuration file `init` writes: the answers, as TOML with comments for the office.

Only what was answered is written; servers and folders of a known provider stay with its profile,
so that a later mailbot can know better. Comments are Chinese: the file is the office's.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from mailbot.adapters.settings.providers import profile_for

Server = tuple[str, int, str]
"""Host, port, security; empty, 0, empty: as the profile says."""


@dataclass(slots=True)
class Answers:
    """What `init` was told. Paths are absolute."""

    address: str
    offices: list[str]
    data_dir: Path
    name: str = ""
    provider: str = ""
    credential_env: str = ""
    credential_file: Path | None = None
    username: str = ""
    imap: Server = ("", 0, "")
    smtp: Server = ("", 0, "")
    ca_file: Path | None = None
    outbox: Path | None = None

    def keep_code(self) -> None:
        """The code will lie in a file of ours, unless one was named."""
        self.credential_env = ""
        self.credential_file = (
            self.credential_file or self.data_dir / "secret" / f"{self.name}.code"
        )


def data_folder(target: Path) -> Path:
    """Where the data goes beside a configuration file: as the settings' default has it."""
    folder = target.parent
    return (folder.parent if folder.name == "config" else folder) / "var"


def render(answers: Answers, target: Path) -> str:
    """The whole file's text. Relative paths where they stay near, so that the folder can move."""
    base = target.parent
    profile = profile_for(answers.provider or answers.address, answers.address)
    lines = [
        "# mailbot 的配置，由 mailbot init 生成，可以手工修改；改后运行 mailbot doctor 检查。",
        "# 全部选项及说明见 mailbot.example.toml。密码、授权码一律不写在这里。",
        "",
        "# 数据库、原始邮件存档的位置；相对路径从本文件所在文件夹算起。",
        f"data_dir = {_path(answers.data_dir, base)}",
        "",
        "# 早于这个小时数的旧邮件，答复先扣下，由人决定是否发出。",
        "answer_max_age_hours = 72",
        "",
        "[[mailboxes]]",
        f"name = {_text(answers.name)}          # 定后勿改：它是邮件来源的一部分",
        f"address = {_text(answers.address)}",
        f"offices = [{', '.join(_text(o) for o in answers.offices)}]",
    ]
    if answers.provider:
        lines.append(f"provider = {_text(answers.provider)}      # {profile.name}")
    elif not answers.imap[0]:
        lines.append(f"# 服务器按“{profile.name}”的资料：{profile.imap.host}、{profile.smtp.host}")
    lines.append(f"# {profile.code_name}所在的地方：")
    if answers.credential_file is not None:
        lines.append(f"credential_file = {_path(answers.credential_file, base)}")
    else:
        lines.append(f"credential_env = {_text(answers.credential_env)}")
    ca_file = f"ca_file = {_path(answers.ca_file, base)}" if answers.ca_file else ""
    username = f"username = {_text(answers.username)}" if answers.username else ""
    lines += _table("mailboxes.imap", answers.imap, username, ca_file)
    if answers.outbox is not None:
        lines += [
            "",
            "[mailboxes.outgoing]",
            "# 答复只放进这个文件夹，不发出去；正式使用时改为 [mailboxes.outgoing.smtp]。",
            f"outbox = {_path(answers.outbox, base)}",
        ]
    else:
        lines += _table("mailboxes.outgoing.smtp", answers.smtp, username, ca_file)
    return "\n".join(lines) + "\n"


def _table(name: str, server: Server, *more: str) -> list[str]:
    host, port, security = server
    lines = [
        f"host = {_text(host)}" if host else "",
        f"port = {port}" if port else "",
        f"security = {_text(security)}" if security else "",
        *more,
    ]
    filled = [line for line in lines if line]
    return ["", f"[{name}]", *filled] if filled else []


def _path(path: Path, base: Path) -> str:
    relative = os.path.relpath(path, base)
    near = Path(relative).parts[:2] != ("..", "..")
    return _text(relative if near else str(path))


def _text(value: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's (TOML 1.0, "String")."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
