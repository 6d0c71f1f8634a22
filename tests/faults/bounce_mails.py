"""Delivery failures as mail servers of many makers write them, without one standard header.

Each is made from a letter of ours that it is about: its Message-ID, subject and recipient. They are
invented after the shape of real ones: no multipart/report, no Auto-Submitted, no null return path,
no X-Failed-Recipients; what is left are a sender's name, a subject, or only the words of the text.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.header import Header
from html import escape

OFFICE = "xinxi@example.org"
PERSON = "zhangsan@example.net"
"""Who seems to have written it, where the server uses no name of its own."""


@dataclass(frozen=True)
class Failed:
    """The letter that did not arrive."""

    message_id: str
    subject: str
    recipient: str


@dataclass(frozen=True)
class BounceMail:
    name: str
    make: Callable[[Failed], bytes]
    linked: bool
    """It names the letter by its Message-ID, so it must be tied to it."""
    final: bool = True
    """The delivery is over; a delay is none."""


def _words(text: str, charset: str = "utf-8") -> str:
    return Header(text, charset, maxlinelen=10_000).encode() if not text.isascii() else text


def _head(sender: str, subject: str, extra: str = "", charset: str = "utf-8") -> str:
    shown = f"From: {sender}\r\n" if sender else ""
    return (
        f"{shown}To: <{OFFICE}>\r\nSubject: {_words(subject, charset)}\r\n"
        f"Date: Wed, 12 Aug 2026 12:10:00 +0800\r\nMessage-ID: <b1@mta.example.net>\r\n{extra}"
    )


def _body(kind: str, text: str, charset: str = "utf-8") -> str:
    data = base64.encodebytes(text.replace("\n", "\r\n").encode(charset)).decode()
    return (
        f"MIME-Version: 1.0\r\nContent-Type: text/{kind}; charset={charset}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n" + data.replace("\n", "\r\n")
    )


def _plain(
    sender: str, subject: str, text: str, *, extra: str = "", charset: str = "utf-8"
) -> bytes:
    return (_head(sender, subject, extra, charset) + _body("plain", text, charset)).encode()


def _html(sender: str, subject: str, text: str, *, charset: str = "utf-8") -> bytes:
    page = f"<html><head><style>p{{margin:0}}</style></head><body>{text}</body></html>"
    return (_head(sender, subject, "", charset) + _body("html", page, charset)).encode()


def _parts(sender: str, subject: str, parts: Sequence[str]) -> bytes:
    head = (
        _head(sender, subject)
        + 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=_b"'
    )
    return (
        head + "\r\n\r\n" + "".join(f"--=_b\r\n{part}\r\n" for part in parts) + "--=_b--\r\n"
    ).encode()


def original(f: Failed) -> str:
    """What comes back of our letter."""
    return (
        f"From: <{OFFICE}>\r\nTo: {f.recipient}\r\nSubject: {_words(f.subject)}\r\n"
        f"Message-ID: <{f.message_id}>\r\nAuto-Submitted: auto-replied\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nYour mail was registered.\r\n"
    )


def _rfc822(f: Failed) -> str:
    return "Content-Type: message/rfc822\r\n\r\n" + original(f)


def _quoted(f: Failed) -> str:
    return original(f).replace("\r\n", "\n")


def qmail(f: Failed) -> bytes:
    return _plain(
        "MAILER-DAEMON@mx.example.net",
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver "
        "your message to the following addresses.\nThis is a permanent error; I've given up. Sorry "
        f"it didn't work out.\n\n<{f.recipient}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        f"--- Below this line is a copy of the message.\n\nReturn-Path: <{OFFICE}>\n{_quoted(f)}",
    )


def qmail_renamed(f: Failed) -> bytes:
    """The administrator gave it a name and a subject of his own."""
    return _plain(
        "mail@mx.example.net",
        "Your mail",
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver "
        f"your message to the following addresses.\n\n<{f.recipient}>:\nuser is over quota\n\n"
        f"--- Below this line is a copy of the message.\n\n{_quoted(f)}",
    )


def postfix(f: Failed) -> bytes:
    return _plain(
        "MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that "
        f"your message could not be delivered to one or more recipients.\n\n<{f.recipient}>: host "
        "mx.example.net said: 550 5.1.1 User unknown (in reply to RCPT TO command)\n",
    )


def exim(f: Failed) -> bytes:
    return _plain(
        "Mail Delivery System <Mailer-Daemon@mail.example.net>",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you "
        f"sent could not be delivered to one or more of its recipients.\n\n  {f.recipient}\n    "
        "Unrouteable address\n\n------ This is a copy of the message, including all the headers. "
        f"------\n\n{_quoted(f)}",
    )


def sendmail(f: Failed) -> bytes:
    return _plain(
        "Mail Delivery Subsystem <MAILER-DAEMON@relay.example.net>",
        "Returned mail: see transcript for details",
        f"   ----- The following addresses had permanent fatal errors -----\n<{f.recipient}>\n"
        "    (reason: 550 5.1.1 User unknown)\n\n   ----- Transcript of session follows -----\n"
        f"550 5.1.1 <{f.recipient}>... User unknown\n\n   ----- Original message follows -----\n"
        f"{_quoted(f)}",
    )


def exchange(f: Failed) -> bytes:
    """Exchange 5.5: "System Administrator" with an ordinary address, the letter attached."""
    text = (
        f"Your message\n\n  To:      {f.recipient}\n  Subject: {f.subject}\n\ndid not reach the "
        f"following recipient(s):\n\n{f.recipient} on Wed, 12 Aug 2026 12:09\n    The recipient name "
        "is not recognized\n    MSEXCH:MSExchangeMTA:OFFICE:MAIL1\n"
    )
    return _parts(
        "System Administrator <admin@example.net>",
        f"Undeliverable: {f.subject}",
        [_body("plain", text), _rfc822(f)],
    )


def exchange_html(f: Failed) -> bytes:
    """Office 365, rewritten by a gateway: HTML only, our subject as it is."""
    return _html(
        "Microsoft Outlook <microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@example.net>",
        f.subject,
        f"<p>Your message to {escape(f.recipient)} couldn't be delivered.</p><p>{escape(f.recipient)} "
        "wasn't found at example.net.</p><p>Diagnostic information for administrators:</p><p>"
        "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'</p><p>Original message "
        f"headers:</p><pre>Message-ID: &lt;{f.message_id}&gt;</pre>",
    )


def domino(f: Failed) -> bytes:
    return _plain(
        "Admin Notes <notes@example.net>",
        f"DELIVERY FAILURE: User {f.recipient} not listed in Domino Directory",
        f"Your message\n\n  Subject: {f.subject}\n\nwas not delivered to:\n\n  {f.recipient}\n\n"
        f"because:\n\n  User {f.recipient} not listed in Domino Directory\n",
    )


def groupwise(f: Failed) -> bytes:
    return _plain(
        "GWIA <gwia@example.net>",
        "Message status - undeliverable",
        f"The attached file had the following undeliverable recipient(s):\n\t{f.recipient}\n",
    )


def fml(f: Failed) -> bytes:
    return _plain(
        "article-admin@list.example.jp",
        f"You {PERSON} are not member (article ML)",
        f"Hi, I am the fml ML manager for the ML <article@list.example.jp>.\n\nYour mail <{f.recipient}"
        "> is rejected: you are not a member of this mailing list.\n--- Original message follows "
        f"---\n{_quoted(f)}",
    )


def mdaemon_zh(f: Failed) -> bytes:
    return _plain(
        "MDaemon <mdaemon@mail.example.net>",
        "永久性投递失败",
        f"下面的附件邮件无法投递：\n收件人：{f.recipient}\n错误：550 No such user here\n",
    )


def sina(f: Failed) -> bytes:
    """Sina: a page in HTML, from an address that looks like a person's."""
    return _html(
        "新浪邮件系统 <sinasystem@example.cn>".replace(
            "新浪邮件系统", _words("新浪邮件系统", "gb2312")
        ),
        "系统退信",
        f"<p>抱歉，您的邮件被退回来了……</p><p>原邮件信息：</p><p>主题：{escape(f.subject)}</p><p>"
        f"收件人：{escape(f.recipient)}</p><p>退信原因：收件人不存在</p>",
        charset="gb18030",
    )


def coremail(f: Failed) -> bytes:
    """Coremail, the software behind 163 and many government mailboxes."""
    return _html(
        "postmaster@example.cn",
        "系统退信/Systems bounce",
        f"<p>很抱歉，您的邮件被退回：</p><p>主题：{escape(f.subject)}</p><p>无法发送到 "
        f"{escape(f.recipient)}</p><p>SMTP error, RCPT TO: 550 User not found</p>",
    )


def coremail_bare(f: Failed) -> bytes:
    """The same through a gateway that puts our own subject back and an ordinary sender in front."""
    return _html(
        f"{_words('邮件系统')} <system@example.cn>",
        f.subject,
        f"<p>您好，</p><p>很抱歉您的邮件被退回，退信原因：收件人邮件地址（{escape(f.recipient)}）不存在。"
        f"</p><p>邮件ID：{escape(f.message_id)}</p>",
        charset="gb18030",
    )


def qq(f: Failed) -> bytes:
    return _html(
        f"{_words('QQ邮箱团队')} <10000@example.com>",
        "来自QQ邮箱的退信",
        f"<p>尊敬的用户：您发送的邮件被退回</p><p>收件人 {escape(f.recipient)} 的邮箱已满</p>",
    )


def qq_enterprise(f: Failed) -> bytes:
    return _html(
        f"{_words('企业邮箱')} <service@example.com>",
        f"退信：{f.subject}",
        f"<p>您发往 {escape(f.recipient)} 的邮件无法投递。</p><p>对方拒收，错误信息：550 Mail content "
        "denied</p>",
    )


def chinese_wrapped(f: Failed) -> bytes:
    """Text and our letter, from an ordinary address, under a subject that says nothing."""
    text = (
        f"您好：\n您发给 {f.recipient} 的邮件未能送达，原邮件见附件。\n原因：对方服务器拒绝接收。\n"
    )
    return _parts(
        f"{_words('信息中心')} <{PERSON}>", "邮件系统通知", [_body("plain", text), _rfc822(f)]
    )


def delivery_failed_zh(f: Failed) -> bytes:
    return _plain(
        f"{_words('邮件网关')} <gateway@example.net>",
        f"投递失败：{f.subject}",
        f"以下收件人投递失败：\n{f.recipient}\n550 5.2.2 mailbox full\n\n> Message-ID: <{f.message_id}>\n",
        charset="gb18030",
    )


def traditional(f: Failed) -> bytes:
    return _plain(
        f"{_words('系統管理員', 'big5')} <admin@example.tw>",
        "郵件傳遞失敗",
        f"您的郵件無法傳遞給下列收件者：\n{f.recipient}\n找不到此收件者的電子郵件地址。\n",
        charset="big5",
    )


def traditional_unsendable(f: Failed) -> bytes:
    return _plain(
        f"{_words('系統')} <system@example.tw>",
        f"無法傳遞: {f.subject}",
        f"{f.recipient}\n傳遞至這些收件者或群組失敗。\n",
    )


def japanese(f: Failed) -> bytes:
    return _plain(
        "mail@example.jp",
        "配信不能のお知らせ",
        f"次の宛先にメールを配信できませんでした。\n{f.recipient}\n宛先不明です。\n\n{_quoted(f)}",
        charset="iso-2022-jp" if f.subject.isascii() else "utf-8",
    )


def japanese_error(f: Failed) -> bytes:
    return _plain(
        "system@example.jp",
        "エラーメール: 送信失敗",
        f"メールの送信に失敗しました。\n宛先: {f.recipient}\n",
        charset="iso-2022-jp",
    )


def german(f: Failed) -> bytes:
    return _plain(
        "system@example.de",
        f"Unzustellbar: {f.subject}",
        f"Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:\n\n"
        f"{f.recipient}\nDie E-Mail-Adresse wurde nicht gefunden.\n",
    )


def german_words(f: Failed) -> bytes:
    return _plain(
        "Poststelle <poststelle@example.de>",
        "Ihre E-Mail konnte nicht zugestellt werden",
        f"Ihre Nachricht an {f.recipient} konnte nicht zugestellt werden.\n\n{_quoted(f)}",
    )


def french(f: Failed) -> bytes:
    return _plain(
        "systeme@example.fr",
        f"Non remis : {f.subject}",
        f"Échec de la remise à ces destinataires ou groupes :\n\n{f.recipient}\n",
    )


def korean(f: Failed) -> bytes:
    return _plain(
        "system@example.kr",
        "메일 전송 실패 안내",
        f"다음 수신자에게 메일을 전송하지 못했습니다.\n{f.recipient}\n",
    )


def antivirus_gateway(f: Failed) -> bytes:
    """A filter speaks in our subject's name."""
    return _plain(
        "Content Filter <filter@example.net>",
        f"Re: {f.subject}",
        "This is an automatically generated Delivery Status Notification.\n\nDelivery to the "
        f"following recipients failed.\n\n       {f.recipient}\n",
    )


def no_from(f: Failed) -> bytes:
    return _plain("", f.subject, f"The following message could not be delivered:\n{f.recipient}\n")


def empty_from(f: Failed) -> bytes:
    return _plain("<>", "Mail System Error - Returned Mail", f"Recipient: {f.recipient} unknown\n")


def delayed(f: Failed) -> bytes:
    return _plain(
        "Mail Delivery System <mailer-daemon@mail.example.net>",
        "Warning: could not send message for past 4 hours",
        f"THIS IS A WARNING MESSAGE ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\n{_quoted(f)}",
    )


BOUNCES = (
    BounceMail("qmail", qmail, True),
    BounceMail("qmail, renamed", qmail_renamed, True),
    BounceMail("Postfix", postfix, False),
    BounceMail("Exim", exim, True),
    BounceMail("sendmail", sendmail, True),
    BounceMail("Exchange", exchange, True),
    BounceMail("Exchange, HTML under our subject", exchange_html, True),
    BounceMail("Domino", domino, False),
    BounceMail("GroupWise", groupwise, False),
    BounceMail("fml", fml, True),
    BounceMail("MDaemon, Chinese", mdaemon_zh, False),
    BounceMail("Sina", sina, False),
    BounceMail("Coremail", coremail, False),
    BounceMail("Coremail under our subject", coremail_bare, True),
    BounceMail("QQ", qq, False),
    BounceMail("QQ for companies", qq_enterprise, False),
    BounceMail("Chinese, our letter attached", chinese_wrapped, True),
    BounceMail("Chinese gateway", delivery_failed_zh, True),
    BounceMail("traditional Chinese", traditional, False),
    BounceMail("traditional Chinese Exchange", traditional_unsendable, False),
    BounceMail("Japanese", japanese, True),
    BounceMail("Japanese, ISO-2022-JP", japanese_error, False),
    BounceMail("German Exchange", german, False),
    BounceMail("German", german_words, True),
    BounceMail("French Exchange", french, False),
    BounceMail("Korean", korean, False),
    BounceMail("a filter's reply", antivirus_gateway, False),
    BounceMail("without From", no_from, False),
    BounceMail("empty From", empty_from, False),
    BounceMail("delayed", delayed, True, final=False),
)
