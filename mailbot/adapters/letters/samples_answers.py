"""Sample answers to mail: one item and several, with and without quota, duplicates, corrections,
gaps, doubts."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from mailbot.core.intake.describe import mailto
from mailbot.core.intake.problems import Problem, ProblemCode
from mailbot.core.letters.answers import (
    Acknowledgement,
    AnswerLetter,
    AttachmentLine,
    ItemLine,
    LimitNotice,
    OfficeCard,
    PendingNotice,
    ReturnNotice,
    UnderstoodField,
)
from mailbot.core.subject.model import Certainty, FieldName, Source

OFFICE = OfficeCard(
    name="某某旗人民政府办公室",
    signature="某某旗人民政府办公室信息室",
    phone="0470-7622029",
    mailbox="xinxi@example.com",
)
_RECEIVED = datetime(2026, 8, 12, 9, 31, tzinfo=ZoneInfo("Asia/Shanghai"))
_MONTH = date(2026, 8, 1)
_ITEM = ItemLine(
    receipt="SL202608-0012",
    title="春耕备耕工作进展顺利",
    unit="农牧局",
    submitter="张三",
    contact="7622029",
    category="动态",
)
_LINE = "农牧局+春耕备耕工作进展顺利+张三+7622029"
_EXAMPLE = "教育体育局+秋季开学准备工作就绪+李四+13847700000"


def _understood(*values: str, source: Source, certainty: Certainty) -> tuple[UnderstoodField, ...]:
    return tuple(
        UnderstoodField(name, value, source if value else None, certainty if value else None)
        for name, value in zip(FieldName, values, strict=True)
    )


ANSWERS: tuple[AnswerLetter, ...] = (
    Acknowledgement(
        office=OFFICE,
        received=_RECEIVED,
        items=(_ITEM,),
        attachments=(AttachmentLine("春耕备耕工作进展顺利.docx", 38_912),),
        month=_MONTH,
        month_count=5,
        month_quota=8,
    ),
    Acknowledgement(
        office=OFFICE,
        received=_RECEIVED,
        items=(
            _ITEM,
            ItemLine(
                "SL202608-0013", "秋粮长势良好", "农牧局", "王芳芳", "13847700000", "简讯", True
            ),
        ),
        attachments=(
            AttachmentLine("春耕备耕.docx", 38_912, from_earlier=True),
            AttachmentLine("", 1_258_291),
        ),
        month=_MONTH,
        month_count=9,
        month_quota=8,
        corrects=("SL202608-0012",),
        duplicate_of=("SL202608-0013",),
        warnings=("正文约 2300 字，超过规定篇幅，请酌情压缩。",),
    ),
    Acknowledgement(
        office=OFFICE,
        received=_RECEIVED,
        items=(_ITEM,),
        attachments=(),
        month=_MONTH,
        month_count=8,
        month_quota=None,
        duplicate_of=("SL202608-0012",),
    ),
    Acknowledgement(
        office=OFFICE,
        received=_RECEIVED,
        items=(),
        attachments=(),
        month=_MONTH,
        month_count=8,
        month_quota=8,
        corrects=("SL202608-0012",),
    ),
    ReturnNotice(
        office=OFFICE,
        received=_RECEIVED,
        receipt="SL202608-0014",
        original_subject="春耕备耕工作进展顺利",
        problems=(Problem(ProblemCode.FIELDS_ELSEWHERE, candidates=("submitter", "contact")),),
        understood=_understood(
            "农牧局",
            "春耕备耕工作进展顺利",
            "张三",
            "7622029",
            source=Source.BODY,
            certainty=Certainty.CERTAIN,
        ),
        corrected_subject=_LINE,
        complete=True,
        mailto=mailto(OFFICE.mailbox, _LINE),
        example=_EXAMPLE,
        keeps_attachments=True,
        attachments=(AttachmentLine("春耕备耕.docx", 38_912),),
    ),
    ReturnNotice(
        office=OFFICE,
        received=_RECEIVED,
        receipt="SL202608-0015",
        original_subject="",
        problems=tuple(Problem(code, "某某局", ("甲局", "乙局")) for code in ProblemCode),
        understood=_understood(
            "", "某项工作", "", "", source=Source.ATTACHMENT, certainty=Certainty.GUESS
        ),
        corrected_subject="（请填报送单位）+某项工作+（请填报送人）+（请填联系方式）",
        complete=False,
        mailto=mailto(OFFICE.mailbox, "（请填报送单位）+某项工作+（请填报送人）+（请填联系方式）"),
        example=_EXAMPLE,
        keeps_attachments=False,
    ),
    PendingNotice(
        office=OFFICE,
        received=_RECEIVED,
        receipt="SL202608-0016",
        reasons=("来信附件数与主题所写条数不一致。",),
    ),
    PendingNotice(office=OFFICE, received=_RECEIVED, receipt="SL202608-0017"),
    LimitNotice(office=OFFICE, day=date(2026, 8, 12), limit=60),
)
