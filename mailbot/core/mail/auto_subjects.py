"""How machines open their subjects, in Chinese (also traditional), English and what else reaches a
Chinese mailbox.

Many Chinese providers send bounces, receipts, recalls and vacation replies without a single
standard header, so the subject is the only sign. A phrase counts only at the front and only with a
delimiter behind it: `自动回复: X` is a machine, `自动回复系统上线运行` is a title. Longer stock phrases
that no title opens with (Undelivered Mail Returned to Sender) need no delimiter.

Not its business: headers, and what follows from a sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.mail.traditional import SIMPLIFIED


class SubjectSign(StrEnum):
    BOUNCE = "bounce"
    RECEIPT = "receipt"
    AUTO_REPLY = "auto_reply"
    RECALL = "recall"


@dataclass(frozen=True, slots=True)
class MachineSubject:
    """`phrase` as found, `rest` what follows it (the subject it is about), `behind_reply` True
    when reply prefixes stood before it: then perhaps a person answered a machine."""

    sign: SubjectSign
    phrase: str
    rest: str
    behind_reply: bool


def machine_subject(subject: str) -> MachineSubject | None:
    """The sign a subject opens with, or None. Linear; looks at the first 300 characters."""
    text = _INVISIBLE.sub("", subject).strip()
    folded = text[:_LOOKED_AT].translate(_HALF_WIDTH)  # one to one, so positions hold in `text`
    reply = _REPLY.match(folded)
    start = reply.end() if reply else 0
    for sign, pattern in _PATTERNS:
        if match := pattern.match(folded, start):
            return MachineSubject(sign, match[0].strip(), text[match.end() :].strip(), start > 0)
    return None


_LOOKED_AT = 300
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_HALF_WIDTH = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)} | {0x3000: 0x20} | SIMPLIFIED
_REPLY = re.compile(r"(?:(?:re|aw|sv|回复|答复)\s{0,3}(?:\[\d{1,3}\])?\s{0,3}:\s{0,3}){1,20}", re.I)

# Full-width forms are folded already. A phrase may stand in brackets.
_OPEN = r"[\[【(〔「<\s]{0,4}"
_END = r"(?=$|[\s:\])】〕」>!.,;，。;(\[【〔「/|-])[\])】〕」>\s:;,.!-]{0,8}"
_COLON_END = r"[\])】〕」>\s]{0,4}:\s{0,4}"


def _phrases(*words: str, end: str = _END) -> str:
    return f"{_OPEN}(?:{'|'.join(words)}){end}"


_AUTO_REPLY = [
    _phrases(
        r"(?:(?:休假|假期|节日|外出|出差|离职|离岗|请假|产假|系统|邮件|邮箱|来自.{1,20}的)\s?)?"
        r"自动\s?(?:回复|答复|应答|回信|回函|响应)(?:\s?(?:邮件|通知))?",
        r"(?:休假|假期|外出|出差|离职|请假)(?:中)?(?:通知|提醒|回复)",
        r"(?:我|本人)(?:正在|已)?(?:不在办公室|外出|休假|出差)(?:中)?",
        r"(?:不在办公室|外出中|休假中|出差中)",
    ),
    _phrases(
        r"automatic(?:ally)?[\s-]{0,2}(?:generated\s)?(?:reply|response|answer)",
        r"auto[\s_-]?(?:mated|matic)?[\s_-]?(?:reply|response|responder|respond|replied|answer)",
        r"out\s?[- ]?of\s?[- ]?(?:the\s)?[- ]?office(?:\s?[- ]?(?:auto[\s-]?reply|reply|message|notification))?",
        r"ooo",
        r"o\.o\.o\.?",
        r"vacation(?:\s(?:reply|message|response|notice|notification))?",
        r"(?:i am|i'm)\s(?:currently\s)?(?:away|out of|on (?:leave|vacation|holiday))[^:]{0,40}",
        r"away from (?:my |the )?(?:mail|e-?mail|office|desk)",
        r"away (?:until|till|from)[^:]{0,40}",
        r"(?:on|annual)\s(?:leave|holiday|vacation)",
    ),
    _phrases(
        r"(?:自动|自動)(?:返信|応答|応答メール|返信メール)",
        r"不在(?:通知|のお知らせ|連絡)",
        r"abwesen(?:d|heits(?:notiz|nachricht|meldung|benachrichtigung)?)",
        r"automatische (?:antwort|abwesenheitsnotiz)",
        r"réponse automatique",
        r"respuesta automática",
        r"risposta automatica",
        r"자동 ?(?:응답|회신|답장)",
        r"автоответ(?:чик)?|автоматический ответ",
        r"avtomat(?:ic|icheskiy) otvet",
    ),
]

_BOUNCE = [
    _phrases(
        r"(?:[a-z0-9]{1,8}|网易|腾讯|新浪|搜狐|阿里|企业)?\s?(?:邮件|邮箱|系统){0,3}\s?"
        r"退信(?:通知|提醒|说明|报告|信息)?",
        r"(?:邮件|信件|您的邮件|您发送的邮件|您发出的邮件)?\s?(?:投递|发送|传递|传送|递送|寄送)"
        r"(?:已)?(?:失败|未成功|延迟|延误)(?:通知|提醒|报告)?(?:\s?\([^)]{0,60}\))?",
        r"(?:邮件|信件|您的邮件|您发送的邮件|您发出的邮件)?\s?(?:无法|未能|不能)(?:投递|送达|传递|发送|递送)",
        r"未(?:能)?(?:送达|传递|投递)(?:的邮件)?",
        r"(?:您的)?(?:邮件|信件)(?:已)?被(?:退回|拒收|拒绝)(?:通知)?",
        r"(?:邮件|信件)(?:退回|退件)(?:通知)?",
        r"(?:投递|传递|送达)状态(?:通知|报告)(?:\s?\([^)]{0,60}\))?",
        r"来自.{1,40}的退信",
    ),
    _phrases(
        r"(?:mail\s|message\s)?undeliver(?:able|ed)(?:\s(?:mail|message|e-?mail))?",
        r"non[\s-]?deliver(?:y|able|ed)(?:\s(?:report|notification|notice|receipt|mail|message))?",
        r"returned\s(?:mail|message|e-?mail)",
        r"(?:mail\s|message\s|delivery\s)?failure\s(?:notice|notification|report|message|delivery)",
        r"(?:mail|message|delivery)\sfailure",
        r"(?:mail|message|e-?mail)?\s?delivery\s(?:has\s)?(?:status\snotification|status|failed|failure|"
        r"error|problem|problems|report|notification|delayed|delay|warning|unsuccessful)"
        r"(?:\s?\([^)]{0,60}\))?(?:\s(?:notification|report|notice|message))?",
        r"(?:mail|message)\s(?:could\snot|cannot|can\snot|not|was\snot)\s(?:be\s)?(?:delivered|sent)",
        r"(?:mail\s)?(?:warning|error)\s?:\s?(?:could not send|message)[^:]{0,60}",
        r"(?:your\s)?(?:mail|message|e-?mail)\s(?:was|has been|is)\s(?:rejected|returned|undeliverable|not delivered)",
        r"undelivered\smail\sreturned\sto\ssender",
        r"mail\s(?:system\serror|delivery\s(?:system|subsystem))",
        r"message\sstatus",
        r"status\snotification",
        r"ndn",
        r"ndr",
        r"not\sdelivered",
        r"postmaster\s(?:notify|notification|warning)",
        r"rejected(?:\smail)?",
        r"delayed\s(?:mail|delivery)",
        r"could\snot\ssend\smessage",
    ),
    _phrases(
        r"(?:永久性|临时性)?(?:邮件|信件)?(?:投递|传递|寄送)(?:失败|错误)(?:通知|提醒|报告)?",
        r"(?:邮件|信件)(?:无法|未能|不能)(?:寄达|送达|传递|投递)",
        r"(?:无法|未能|不能)(?:寄达|传递)(?:的邮件)?",
        r"邮件系统(?:通知|错误|退信)",
    ),
    _phrases(
        r"(?:メール|メッセージ)?の?(?:配信|配達|送信)(?:不能|失敗|失败|エラー|できません(?:でした)?)"
        r"(?:の(?:お知らせ|通知))?",
        r"エラーメール",
        r"(?:宛先不明|リターンメール)",
        r"unzustellbar(?:e[rs]?)?(?:\s(?:e-?mail|mail|nachricht))?",
        r"nicht\s(?:zugestellt|zustellbar)",
        r"(?:ihre\s)?(?:e-?mail|mail|nachricht)\skonnte\snicht\s(?:zugestellt|gesendet)\swerden",
        r"(?:fehler bei der )?(?:zustellung|nachrichtenzustellung)(?:\s(?:fehlgeschlagen|nicht möglich))?",
        r"(?:message\s)?non\s(?:remis|délivré|distribuable)",
        r"échec\s(?:de\s(?:la\s)?)?(?:remise|livraison|distribution)",
        r"no\sse\spuede\sentregar|no\sentregado",
        r"(?:메일|메시지)\s?(?:전송|배달|발송)\s?(?:실패|오류)(?:\s(?:안내|알림|통지))?",
        r"반송(?:된)?\s?(?:메일|안내|알림)?",
        r"недоставленн(?:ое|ая)(?:\s(?:сообщение|почта))?|не удалось доставить",
        r"you\s?\S{0,120}\s(?:are|is)\snot\s(?:a\s)?member",  # fml
    ),
]

_RECEIPT = [
    _phrases(
        r"(?:已读|未读|已阅读|未阅读|已送达|已显示|已删除)",
        r"未(?:阅)?读(?:就|便|即|,)?(?:已)?被?删除",
        r"(?:已读|阅读|送达|读取|收件)(?:回执|确认)(?:邮件)?",
        end=_COLON_END,
    ),
    _phrases(r"(?:已读|阅读|送达|读取)\s?回执"),
    _phrases(r"read", r"not\sread", r"displayed", r"delivered", end=_COLON_END),
    _phrases(
        r"(?:read|return|delivery)[\s-]receipt",
        r"(?:message\s)?disposition\snotification",
        r"return\sreceipt\s\(displayed\)",
    ),
]

_RECALL = [
    _phrases(
        r"(?:发信方|发件方|发件人|发信人|对方)(?:已经|已)?(?:撤回|召回)(?:了)?(?:一封|此|该)?(?:邮件)?",
        r"(?:邮件|信件)(?:已经|已)?(?:被)?(?:撤回|召回)(?:通知|成功|失败)?",
        r"(?:撤回|召回|撤消)(?:邮件|信件|通知|成功|失败)?",
        end=_COLON_END,
    ),
    _phrases(
        r"(?:发信方|发件方|发件人|发信人|对方)(?:已经|已)?(?:撤回|召回)(?:了)?(?:一封|此|该)?邮件"
    ),
    _phrases(r"(?:message\s)?recall(?:\s(?:success|failure|report|attempt))?", end=_COLON_END),
    _phrases(r"(?:the\ssender|.{1,60})\swould\slike\sto\srecall(?:\sthe\smessage)?"),
]

_PATTERNS = [
    (sign, re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE))
    for sign, patterns in (
        (SubjectSign.RECALL, _RECALL),
        (SubjectSign.RECEIPT, _RECEIPT),
        (SubjectSign.AUTO_REPLY, _AUTO_REPLY),
        (SubjectSign.BOUNCE, _BOUNCE),
    )
]
