"""What people write: submissions, replies, requests, and what their mail servers send back."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from tests.integration.year.sink import Letter

PROBLEM = (
    "一、存在的问题\n{title}。群众反映强烈，资金缺口较大，进度受到制约。\n"
    "二、原因分析\n前期测算不足，配套设施没有跟上，部门之间衔接不够。\n"
    "三、意见建议\n建议统筹安排资金，明确牵头单位，按月调度，限期解决。\n"
)
"""What a problem report must show to be one: what, why, and advice (the clause on 报忧信息)."""
NEWS = "{title}。相关单位明确责任，细化措施，按时间节点抓好落实，各项任务进展顺利，群众反映良好。\n"


def written(
    sender: str,
    to: str,
    subject: str,
    body: str,
    now: datetime,
    number: int,
    **headers: str,
) -> bytes:
    """A mail as a person's client writes it. Header names with underscores: `In_Reply_To`."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{number}.{sender}>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    return mail.as_bytes()


def reply(letter: Letter, said: str, now: datetime, number: int) -> bytes:
    """An answer to one of our letters, its text quoted below as clients do."""
    quoted = "".join(f"> {line}\n" for line in letter.text.splitlines())
    body = f"{said}\n\n在 {letter.when:%Y-%m-%d %H:%M}，{letter.sender} 写道：\n{quoted}"
    subject = f"回复：{letter.subject}"
    thread = {"In_Reply_To": f"<{letter.id}>", "References": f"<{letter.id}>"}
    return written(letter.to, letter.sender, subject, body, now, number, **thread)


_REPORT = """\
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: {sender}
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <dsn.{id}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_dsn"

--=_dsn
Content-Type: text/plain; charset=us-ascii

I am sorry to have to inform you that your message could not be delivered.
<{to}>: {said}

--=_dsn
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; {said}

--=_dsn
Content-Type: text/rfc822-headers

From: {sender}
To: {to}
Message-ID: <{id}>

--=_dsn--
"""


def bounce(letter: Letter, said: str, now: datetime) -> bytes:
    """A delivery failure as RFC 3464 has it: it names the letter by the returned headers."""
    text = _REPORT.format(
        sender=letter.sender, to=letter.to, id=letter.id, said=said, date=format_datetime(now)
    )
    return text.replace("\n", "\r\n").encode("ascii")
