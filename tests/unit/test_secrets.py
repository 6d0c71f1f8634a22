"""Secrets marks: found however they are spelled, not seen where they are only a topic."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.intake.secrets import find_secrets
from mailbot.core.mail.model import SecretsMark


def find(
    subject: str = "", body: str = "", name: str = "", text: str = "", nested: str = ""
) -> tuple[SecretsMark, ...]:
    return find_secrets(
        subject=subject,
        body=body,
        attachment_names=[name],
        attachment_texts=[text],
        nested_texts=[nested],
    )


def hits(text: str) -> set[str]:
    """Rules of real hits, the text standing in the subject and in the body."""
    in_subject = {m.rule for m in find(subject=text) if not m.hold_only}
    in_body = {m.rule for m in find(body=text) if not m.hold_only}
    assert in_subject == in_body
    return in_body


@pytest.mark.parametrize(
    "text",
    [
        "机密★1年",
        "[机密★1年]农牧局+重要疫情+张三+7622029",
        "农牧局+重要疫情+张三+7622029 秘密★10年",
        "绝密★",
        "秘密★长期",
        "绝密★启用前",
        "机 密 ★ 1 年",
        "机　密　★",
        "机\n密\n★\n1年",
        "机\u200b密\u200d★",
        "秘\u00ad密\ufeff★",
        "秘密★\ufe0f",
        "秘密☆5年",
        "秘密⭐5年",
        "秘密*10年",
        "秘密＊10年",
        "机密（★1年）",
        "【机密】★1年",
        "机密级★20年",
        "機密★",
        "祕密★三年",
        "㊙密★",
        "机密\n★1年",
        "    绝密\n★",
        "商业秘密★5年",
    ],
)
def test_level_with_star_is_a_hit(text: str) -> None:
    assert hits(text) == {"level-star"}


@pytest.mark.parametrize(
    "text",
    [
        "密级:秘密",
        "密级：绝密",
        "密 级：机 密",
        "密级 ： 绝密",
        "密级：【机密】",
        "【密级】：秘密",
        "密\u200b级:\u200b机密",
        "密级∶秘密",
        "密级：\n机密",
        "密级\n机密\n文号",
        "|密级|秘密|",
        "保密等级：机密",
        "涉密级别：秘密",
        "密级：机密★1年"[:5],
        "密级：□绝密 ☑机密 □秘密",
        "密级：绝密□ 机密√ 秘密□",
    ],
)
def test_level_behind_its_label_is_a_hit(text: str) -> None:
    assert hits(text) == {"level-label"}


@pytest.mark.parametrize(
    "text",
    [
        "★★★★",
        "领导批示★★★★",
        "保守国家秘密 ★★★★",
        "商业秘密保护条例宣传活动启动",
        "全旗保守国家秘密法宣传月",
        "严防失密泄密，秘密级文件管理培训",
        "机密工作会议精神传达",
        "打印机密码★修改",
        "飞机密集★",
        "密级：无",
        "密级：公开",
        "密级：非密",
        "密级：非涉密",
        "密级：不属于国家秘密",
        "密级：□绝密 □机密 □秘密 ☑非密",
        "一、保守国家秘密\n★ 一是开展培训\n★ 二是落实责任",
        "文件定密、密级变更和解密",
        "秘密文件★",
        "秘密* 三个",
    ],
)
def test_topics_and_denials_are_no_hits(text: str) -> None:
    assert hits(text) == set()


@pytest.mark.parametrize("form", ["密级：绝密/机密/秘密", "密级：绝密□ 机密□ 秘密□ 非密■"])
def test_a_form_to_choose_from_is_held_not_quarantined(form: str) -> None:
    assert find(body=form) == (SecretsMark("level-list", "body", hold_only=True),)


@pytest.mark.parametrize(
    "kind", ["内部资料", "注意保存", "内部文件", "内部资料 注意保存", "请注意保密", "工作秘密"]
)
def test_internal_markings_ask_for_a_person(kind: str) -> None:
    mark = SecretsMark("internal", "body", hold_only=True)
    for body in (kind, f"\n  {kind}\n正文", f"【{kind}】\n正文", f"全旗春耕情况（{kind}）\n正文"):
        assert find(body=body) == (mark,), body
    for subject in (f"农牧局+春耕+张三+7622029（{kind}）", f"{kind}：春耕", f"农牧局 {kind} 春耕"):
        assert [m.rule for m in find(subject=subject)] == ["internal"], subject
    assert [m.where for m in find(name=f"{kind}.docx")] == ["attachment name"]


@pytest.mark.parametrize(
    "text",
    [
        "内部资料室整理工作有序开展",
        "加强内部文件管理，提高办文质量",
        "种子应放在阴凉处，注意保存温度",
        "据《地方志》（内部资料）记载，当地有牧户",
        "严禁外传播种子病害",
        "内部信息系统完成升级改造",
        "传达工作秘密管理要求",
    ],
)
def test_internal_words_in_running_text_are_nothing(text: str) -> None:
    assert find(body=text, text=text, nested=text) == ()
    if "（" not in text:  # a subject has no running text: there a bracket is a marking
        assert find(subject=text, name=text + ".docx") == ()


def test_head_imprint_with_issue_number() -> None:
    assert [m.rule for m in find(body="内部资料 第12期\n农牧局办公室\n正文")] == ["internal"]


def test_bare_level_as_a_marking_is_held() -> None:
    for subject in ("【机密】农牧局+重要疫情+张三+7622029", "农牧局+秘密+重要疫情+张三+7622029"):
        assert find(subject=subject) == (SecretsMark("level-alone", "subject", hold_only=True),)
    assert find(body="绝密\n\n关于……的报告") == (
        SecretsMark("level-alone", "body", hold_only=True),
    )


def test_every_place_is_looked_at_and_named() -> None:
    marks = find("秘密★1年", "秘密★1年", "秘密★1年.docx", "密级：秘密", "绝密★")
    assert [(m.rule, m.where, m.hold_only) for m in marks] == [
        ("level-star", "attachment name", False),
        ("level-star", "body", False),
        ("level-star", "nested mail", False),
        ("level-star", "subject", False),
        ("level-label", "attachment text", False),
    ]


_PIECES = st.sampled_from(
    [
        "机",
        "密",
        "秘",
        "绝",
        "级",
        "★",
        "☆",
        "*",
        "：",
        ":",
        " ",
        "\n",
        "1年",
        "【",
        "】",
        "（",
        "内部资料",
        "注意保存",
        "、",
        "□",
        "☑",
        "\u200b",
        "保密等",
        "字",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=60).map("".join))
def test_marks_are_rules_and_places_only(text: str) -> None:
    marks = find(text, text, text, text, text)
    assert marks == find(text, text, text, text, text)
    rules = {"level-star", "level-label", "level-list", "level-alone", "internal"}
    places = {"subject", "body", "attachment name", "attachment text", "nested mail"}
    assert {m.rule for m in marks} <= rules
    assert {m.where for m in marks} <= places
    assert len(set(marks)) == len(marks)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["绝密", "机密", "秘密"]),
    st.lists(
        st.sampled_from(["", " ", "\u200b", "\u3000", "\ufeff", "\t", "·"]), min_size=3, max_size=3
    ),
    st.sampled_from(["农牧局+", "关于", "\n\n", ""]),
    st.sampled_from(["1年", "", "+张三", "\n正文"]),
)
def test_spacing_never_hides_a_star_mark(
    level: str, gaps: list[str], before: str, after: str
) -> None:
    text = before + level[0] + gaps[0] + level[1] + gaps[1] + "★" + gaps[2] + after
    assert "level-star" in {m.rule for m in find(body=text)}


@pytest.mark.parametrize(
    "unit",
    [
        "机",
        "机 密 ",
        "密级：",
        "密" + " " * 50,
        "（",
        "内部资料，",
        "内 部 ",
        "保密等级:□",
        "密级:xxxxx",
        "\n",
    ],
)
def test_hostile_repetition_is_read_to_the_end(unit: str) -> None:
    text = unit * (100_000 // len(unit)) + "\n绝密★1年"
    assert SecretsMark("level-star", "body") in find(body=text)
