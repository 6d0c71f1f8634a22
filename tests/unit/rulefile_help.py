"""A small sound office as files, ways to break it, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailbot.app.errors import OperatorFault

BASIS = 'basis = { document = "甲政办发〔2020〕1号", clause = "一（一）" }\n'

SOUND = {
    "office.toml": """[office]
id = "jia"
name = "甲旗人民政府办公室"
signature = "甲旗人民政府办公室信息室"
phone = "7622000"
receipt_prefix = "JA"
mailbox = "xinxi@example.com"

[limits]
per_thread = 5
""",
    "units.toml": f"""prefixes = ["甲旗", "旗"]

[[group]]
id = "g1"
name = "第一组"
{BASIS}
[[group]]
id = "g2"
name = "第二组"
{BASIS}
[[unit]]
id = "nongmu"
name = "农牧局"
aliases = ["农牧业局", {{ text = "农业局", end = 2021-12-31 }}]
group = "g1"
addresses = ["NongMu@example.com"]

[[unit.contact]]
role = "liaison"
name = "张三"
phone = "7622001"
address = "zhangsan@example.com"

[[unit]]
id = "shuili"
name = "水利局"
aliases = [{{ text = "农业局", start = 2022-01-01 }}]
group = "g2"
note = "to be confirmed"
""",
    "subject.toml": f"""[[convention]]
from = 2020-01-01
{BASIS}required = ["unit", "title", "submitter", "contact"]
elsewhere = "suggest"
senders = "open"
example = "农牧局+春耕备耕工作进展顺利+张三+7622001"
noise = ["政务信息"]
""",
    "categories.toml": f"""[[version]]
from = 2020-01-01
{BASIS}default = "news"
link_marks = ["约稿"]

[[version.category]]
id = "news"
name = "动态"
marks = ["动态类"]

[[version.category]]
id = "problem"
name = "问题"
marks = ["问题类"]
proof_required = true

[[version.rule]]
id = "problem-head"
category = "problem"
where = "heading"
words = ["存在问题"]
weight = 4

[[version.topic]]
name = "乡村振兴"
words = ["乡村"]
""",
    "quota.toml": f"""[[quota]]
id = "items"
name = "信息"
period = "month"

[[quota.version]]
from = 2020-01-01
{BASIS}counts = [{{ event = "submission" }}]
need = {{ g1 = 8, g2 = 4, shuili = 2 }}
""",
    "scoring.toml": f"""settles = "quarter"
[[journal]]
id = "daily"
name = "每日要情"
aliases = ["要情日报"]

[[journal]]
id = "weekly"
name = "政务周报"

[[level]]
id = "province"
name = "省"
events = ["instruction"]

[[level]]
id = "city"
name = "市"

[[rule]]
id = "submission"
name = "报送积分"
kind = "points"
dated_by = "event"

[[rule.version]]
from = 2020-01-01
{BASIS}
[[rule.version.line]]
event = "submission"
category = "news"
points = 1
clause = "一（一）：动态"

[[rule.version.line]]
event = "submission"
category = "problem"
points = 5
clause = "一（一）：问题"

[[rule]]
id = "adoption"
name = "采用积分"
kind = "points"
dated_by = "event"

[[rule.version]]
from = 2020-01-01
{BASIS}repeat = "highest_per_item"

[[rule.version.line]]
event = "adoption"
journal = "daily"
points = 20
clause = "一（二）：要情"
label = "《每日要情》采用"
stars = 2

[[rule.version.line]]
event = "adoption"
journal = "weekly"
form = ["full", "special"]
points = 2.5
clause = "一（二）：周报"

[[rule.version.line]]
event = "adoption"
journal = "weekly"
points = 0
clause = "一（二）：周报其余"

[[ranking]]
from = 2020-01-01
{BASIS}order = ["points"]

[[ranking.table]]
id = "first"
name = "第一组"
groups = ["g1"]

[[ranking.table]]
id = "second"
name = "第二组"
groups = ["g2"]

[[ranking.column]]
id = "daily"
name = "要情"
match = [{{ event = "adoption", journal = "daily" }}]
""",
    "notices.toml": f"""[[list]]
id = "first"
name = "先进"
kind = "first"
consequence = "praise"
periods = ["quarter"]

[[list.version]]
from = 2020-01-01
{BASIS}tables = ["first"]
places = 2
exclude = ["shuili"]
""",
}


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    return folder


def changed(file: str, old: str, new: str) -> dict[str, str | bytes]:
    """The sound office with one change (old "" appends)."""
    text = SOUND[file]
    assert old in text
    return {**SOUND, file: text.replace(old, new, 1) if old else text + new}


def faults_of(load: Callable[[], object]) -> list[str]:
    with pytest.raises(OperatorFault) as caught:
        load()
    return [str(f) for f in caught.value.faults]


@dataclass(frozen=True)
class Broken:
    """`changes`: file, old text, new text (old "" appends; new None removes the file). `say`: one
    tuple of words for each fault, all of them in that fault, in any order of faults."""

    name: str
    changes: tuple[tuple[str, str, str | bytes | None], ...]
    say: tuple[tuple[str, ...], ...] = field(default=())


def broken(name: str, *changes: tuple[str, str, str | bytes | None], say: list[str]) -> Broken:
    """Each entry of `say` holds the words of one fault, separated by |."""
    return Broken(name, changes, tuple(tuple(s.split("|")) for s in say))


def tell_all(tmp_path: Path, case: Broken, load: Callable[[Path], object]) -> None:
    """Every fault of the broken office is told, no more and no fewer, each with its place."""
    files: dict[str, str | bytes] = dict(SOUND)
    for name, old, new in case.changes:
        if new is None:
            del files[name]
        elif isinstance(new, bytes):
            files[name] = new
        elif not old:
            files[name] = str(files.get(name, "")) + new
        else:
            text = files[name]
            assert isinstance(text, str)
            assert old in text, (name, old)
            files[name] = text.replace(old, new, -1 if name == "categories.toml" else 1)
    folder = write(tmp_path / "jia", files)

    faults = faults_of(lambda: load(folder))

    said = "\n".join(faults)
    left = list(faults)
    for words in case.say:
        match = next((f for f in left if all(w in f for w in words)), None)
        assert match is not None, f"nobody said {words}:\n{said}"
        left.remove(match)
    assert left == [], f"said besides:\n{said}"
    assert all(str(folder) in f and "→" in f for f in faults)
