"""What differs between two drafts of one notice, a sentence each: why an approval was not taken, and
what whoever approves the new draft should look at first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from mailbot.app.notices.said import Said, comparable
from mailbot.app.notices.sms import mobile

MOST = 12
"""Sentences; more are counted."""
_COUNTED = (
    ("place", "名次"),
    ("submissions", "报送"),
    ("adopted", "采用"),
    ("points", "得分"),
    ("cumulative", "全年累计"),
)


def changes(before: Mapping[str, Any], after: Said, flags_before: Sequence[str]) -> tuple[str, ...]:
    """`before` are the facts kept with the earlier draft (`said.facts_of`)."""
    now = after.facts
    found = [
        *_rows(before["standings"], now["standings"]),
        *_lists(before["standings"], now["standings"]),
        *_corrections(before["standings"], now["standings"]),
        *_recipients(before["recipients"], now["recipients"]),
        *(f"新的提示：{flag}" for flag in after.flags if flag not in flags_before),
    ]
    same_facts = comparable(before["standings"]) == comparable(now["standings"])
    if (before["document"], before["own"]) != (now["document"], now["own"]) and (
        same_facts or not found
    ):
        found.append("文稿的内容有变化（例如采用的标题、信件的设置或名册）。")
    if not found and before["recipients"] != now["recipients"]:
        found.append("收件人名单里只有不影响发送的变化（例如没有手机号的人的电话）。")
    if len(found) > MOST:
        return (*found[:MOST], f"另有 {len(found) - MOST} 处变化。")
    return tuple(found)


def _rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = _by_unit(before), _by_unit(after)
    for unit in dict.fromkeys((*new, *old)):
        if unit not in old:
            yield f"{new[unit]['name']}：新列入成绩表。"
        elif unit not in new:
            yield f"{old[unit]['name']}：不再列入成绩表。"
        else:
            said = [
                f"{word} {_shown(old[unit][key])} 变为 {_shown(new[unit][key])}"
                for key, word in _COUNTED
                if old[unit][key] != new[unit][key]
            ]
            if said:
                yield f"{new[unit]['name']}：{'，'.join(said)}。"
            elif old[unit] != new[unit]:
                yield f"{new[unit]['name']}：成绩表里这一行有变化。"


def _by_unit(standings: Mapping[str, Any]) -> dict[str, Any]:
    rows = chain.from_iterable(table["rows"] for table in standings["tables"])
    return {row["unit"]: row for row in rows}


def _shown(value: object) -> str:
    return "无" if value is None else str(value)


def _lists(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    names = {row["unit"]: row["name"] for s in (before, after) for row in _by_unit(s).values()}
    old = {one["id"]: one for one in before["lists"]}
    for one in after["lists"]:
        was = {w["unit"]: w["why"] for w in old.get(one["id"], {"listed": []})["listed"]}
        now = {w["unit"]: w["why"] for w in one["listed"]}
        for unit in dict.fromkeys((*was, *now)):
            who = names.get(unit, unit)
            if unit not in now:
                yield f"“{one['name']}”：不再列入{who}。"
            elif unit not in was:
                yield f"“{one['name']}”：新列入{who}（{now[unit]}）。"
            elif was[unit] != now[unit]:
                yield f"“{one['name']}”：{who}的事由变为“{now[unit]}”。"


def _corrections(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before["corrections"] != after["corrections"]:
        yield (
            f"对已封账各期的更正由 {len(before['corrections'])} 笔变为 "
            f"{len(after['corrections'])} 笔，或内容有变化。"
        )


def _recipients(before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    old, new = ({one["key"]: one for one in side} for side in (before, after))
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        if _kept(was) == _kept(now):
            continue
        if was is None or now is None:
            one, verb = (now, "增加") if now is not None else (was, "减少")
            yield f"收件人{verb}：{_who(one)}。"
        elif was["address"] != now["address"]:
            yield f"收件人的邮箱有变化：{_who(was)}，现为{_who(now)}。"
        elif _message(was) != _message(now):
            yield f"短信的内容或号码有变化：{now['name'] or now['unit_id']}。"
        else:
            yield f"收件人有变化：{_who(was)}，现为{_who(now)}。"


def _kept(one: Any) -> Any:
    """Without the text message, and with the mobile only: what makes a difference by itself."""
    return one and {**one, "phone": "", "sms": _message(one)}


def _message(one: Any) -> tuple[str, str]:
    """Number and text; of somebody without a mobile nothing is ever sent."""
    number = mobile(one["phone"]) if one["sms"] else ""
    return (number, one["sms"]) if number else ("", "")


def _who(one: Any) -> str:
    return f"{one['name'] or one['unit_id'] or one['role']} {one['address'] or '（没有邮箱）'}"
