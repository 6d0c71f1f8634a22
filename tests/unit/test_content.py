"""What of a body is the item itself, and when there is none."""

from __future__ import annotations

import pytest

from mailbot.core.intake.content import content_of, own_text
from mailbot.core.mail.model import Attachment, AttachmentKind, IncomingMail, NestedMail

OWN = "更正如下，请以此为准。"
QUOTES = {
    "qq": '------------------ 原始邮件 ------------------\n发件人: "信息室" <a@qq.com>;\n旧文',
    "163": '在 2026-08-01 10:00:00，"信息室" <a@163.com> 写道：\n旧文',
    "163 long name": f"在 2026-08-01 10:00:00，{'鄂托克前旗人民政府办公室' * 5} <a@163.com> 写道：\n旧文",
    "163 phone": "---- 回复的原邮件 ----\n| 发件人 | 信息室 |\n旧文",
    "foxmail": "发件人： 信息室\n发送时间： 2026-08-01 10:00\n收件人： 张三\n主题： 退回\n旧文",
    "outlook": "_____________________________\nFrom: office\n旧文",
    "outlook bold": "**发件人:** 信息室\n**日期:** 2026年8月1日\n旧文",
    "english outlook": "From: office@x.com\nSent: Monday\nTo: z@x.com\n旧文",
    "gmail": "On Sat, Aug 1, 2026 at 10:00 AM office <a@x.com> wrote:\n旧文",
    "gmail chinese": "信息室 <a@x.com> 于2026年8月1日周六 10:00写道：\n旧文",
    "apple": "> 旧文\n>> 更旧",
    "plain original": "-----Original Message-----\n旧文",
}


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
def test_a_quotation_is_not_the_senders_text(quote: str) -> None:
    assert own_text(f"{OWN}\n\n{quote}") == OWN


@pytest.mark.parametrize(
    "text",
    [
        "发件人：农牧局 张三\n春耕备耕全面启动，备足农资，检修农机。",
        "旗长在调研时说道：要抓好春耕。\n各镇随即行动。",
        "文中写道：\n农牧民收入稳步增长。",
        "一、基本情况\n-- 农牧业 --\n二、存在问题",
        "From the first day the work went on.",
    ],
)
def test_what_only_looks_like_one_is_kept(text: str) -> None:
    assert own_text(text) == text


EMPTY = [
    "",
    "  \n\n　",
    "请查收附件，谢谢！",
    "您好",
    "您好，谢谢！",
    "发自我的iPhone",
    "见附件。\n\n发自我的iPhone",
    "现将我局关于开展春耕备耕工作情况的信息报送给您，请查收附件。",
    "请查收附件。\n\n农牧局办公室 张三\n0477-7622029",
    "领导好，信息见附件，请审阅。\n鄂托克前旗农牧局办公室 张三 电话：0477-7622029 邮箱 z@163.com",
    "附件为我局报送的信息，请查收",
]


@pytest.mark.parametrize("text", EMPTY)
def test_a_covering_note_without_a_file_is_nothing(text: str) -> None:
    assert content_of(IncomingMail(1, "", "", text=text)).empty


@pytest.mark.parametrize(
    "text",
    [
        "正文",
        "今日完成防火巡查12次。",
        "全旗春耕备耕工作扎实推进，备足种子、化肥、农膜，检修农机具3000台（见附件图片）。" * 2,
        "附件已于昨日发送。全旗共完成人工种草3万亩。\n全旗共完成人工种草3万亩，修复退化草原2万亩。",
    ],
)
def test_an_item_in_the_body_is_content(text: str) -> None:
    assert not content_of(IncomingMail(1, "", "", text=text)).empty


def attachment(name: str, kind: AttachmentKind, inline: bool = False) -> Attachment:
    return Attachment(name, "x/y", kind, 10, f"sha of {name}", "2", inline)


def test_what_counts_as_a_file() -> None:
    mail = IncomingMail(
        1,
        "",
        "",
        text="见附件",
        attachments=(
            attachment("稿.docx", AttachmentKind.WORD),
            attachment("图.jpg", AttachmentKind.IMAGE),
            attachment("logo.png", AttachmentKind.IMAGE, inline=True),
            attachment("smime.p7s", AttachmentKind.SIGNATURE),
            attachment("空.docx", AttachmentKind.EMPTY),
            attachment("转发.eml", AttachmentKind.MAIL),
        ),
        nested=(
            NestedMail(
                "6", "转发", (), None, "里面的正文", (attachment("里.pdf", AttachmentKind.PDF),)
            ),
        ),
    )
    content = content_of(mail)
    assert [f.name for f in content.files] == ["稿.docx", "图.jpg", "里.pdf"]
    assert [d.name for d in content.documents] == ["稿.docx", "里.pdf"]
    assert content.text == "见附件"


def test_a_mail_forwarded_as_a_file_gives_its_text() -> None:
    inner = NestedMail("2", "春耕", (), None, "全旗春耕备耕工作扎实推进，农资储备充足。")
    assert content_of(IncomingMail(1, "", "", nested=(inner,))).text == inner.text


def test_text_below_a_forward_is_content() -> None:
    text = "-------- 转发邮件信息 --------\n发件人：乡镇\n全旗春耕备耕工作扎实推进。"
    mail = IncomingMail(1, "", "", text=text)
    assert content_of(mail, forwarded=True).text == text
    assert content_of(mail).empty


def test_fingerprints() -> None:
    """Of the files where there are any, else of the text, else nothing."""
    text = "全旗春耕备耕工作扎实推进，农资储备充足。"
    by_text = content_of(IncomingMail(1, "", "", text=text)).fingerprint
    spaced = content_of(IncomingMail(1, "", "", text=f"　{text[:9]}\n{text[9:]} ")).fingerprint
    assert by_text == spaced != frozenset()
    assert content_of(IncomingMail(1, "", "", text="请查收附件")).fingerprint == frozenset()
    files = (attachment("a", AttachmentKind.WORD), attachment("b", AttachmentKind.IMAGE))
    one = content_of(IncomingMail(1, "", "", text=text, attachments=files)).fingerprint
    other = content_of(IncomingMail(1, "", "", text="另", attachments=files[::-1])).fingerprint
    assert one == other == {"sha of a", "sha of b"}
