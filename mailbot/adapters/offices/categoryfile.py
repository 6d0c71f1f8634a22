"""Reads `categories.toml`: the categories, the marks and words that speak for them, the topics.

Schema: `[[version]] from, basis, default, threshold?, proof?, link_marks?` with
`[[version.category]] id, name, marks, proof_required?`, `[[version.rule]] id, category, where,
words, weight` and `[[version.topic]] name, words`. Deciding is `core.intake.classify`.
"""

from __future__ import annotations

from datetime import date

from mailbot.adapters.offices.ruletables import read_versions
from mailbot.adapters.offices.tablereader import Table, TomlSource, nearest
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.rulebook import (
    DEFAULT_PROOF,
    DEFAULT_THRESHOLD,
    RULE_PLACES,
    Categories,
    Category,
    TitleRule,
)

HEAVIEST = 100


def read_categories(source: TomlSource) -> tuple[Categories, ...]:
    root = source.root()
    versions = read_versions(root, "version", _read_version)
    root.close()
    return versions


def _read_version(table: Table, start: date, basis: Basis) -> Categories:
    link_marks = table.texts("link_marks")
    categories = _read_list(table, link_marks)
    default = table.identifier("default")
    known = {c.id: c for c in categories}
    if default and default not in known:
        table.fault("default", f"没有类别“{default}”", nearest(default, known))
    elif default and known[default].proof_required:
        expected = "换一个不须佐证的类别：没有依据的信息不能默认记高分"
        table.fault("default", f"“{default}”是须有佐证的类别（proof_required）", expected)
    return Categories(
        start=start,
        basis=basis,
        categories=categories,
        default=default,
        rules=_read_rules(table, list(known)),
        link_marks=link_marks,
        topics=_read_topics(table),
        threshold=table.number("threshold", DEFAULT_THRESHOLD, least=1, most=HEAVIEST),
        proof=table.number("proof", DEFAULT_PROOF, least=1, most=HEAVIEST),
    )


def _read_list(version: Table, link_marks: tuple[str, ...]) -> tuple[Category, ...]:
    categories: list[Category] = []
    names: dict[str, str] = {}
    declared = dict.fromkeys(link_marks, "约稿一类的标记 link_marks")
    for table in version.tables("category", required=True):
        category = Category(
            id=table.identifier("id"),
            name=table.text("name"),
            marks=table.texts("marks"),
            proof_required=table.flag("proof_required"),
        )
        table.close()
        if category.id and category.id in {c.id for c in categories}:
            table.fault("id", f"类别“{category.id}”写了两次", "每个类别只写一次")
        if category.name and names.setdefault(category.name, category.id) != category.id:
            table.fault(
                "name", f"“{category.name}”已是 {names[category.name]} 的名称", "换一个名称"
            )
        for mark in dict.fromkeys((category.name, *category.marks)):
            if mark and declared.setdefault(mark, category.id) != category.id:
                found = f"标记“{mark}”已属于 {declared[mark]}"
                table.fault("marks", found, "一个标记只能说明一种类别")
        categories.append(category)
    return tuple(categories)


def _read_rules(version: Table, known: list[str]) -> tuple[TitleRule, ...]:
    rules: list[TitleRule] = []
    for table in version.tables("rule"):
        rule = TitleRule(
            id=table.identifier("id"),
            category=table.identifier("category"),
            words=table.texts("words", required=True),
            weight=table.number("weight", least=-HEAVIEST, most=HEAVIEST),
            where=table.choice("where", RULE_PLACES, "title"),
        )
        table.close()
        if rule.category and rule.category not in known:
            table.fault("category", f"没有类别“{rule.category}”", nearest(rule.category, known))
        if rule.id and rule.id in {r.id for r in rules}:
            table.fault("id", f"规则“{rule.id}”写了两次", "每条规则的 id 各不相同")
        if table.data.get("weight") == 0:
            table.fault("weight", "是 0，这条规则不起作用", "写上分值，或删掉这条规则")
        rules.append(rule)
    return tuple(rules)


def _read_topics(version: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    topics: list[tuple[str, tuple[str, ...]]] = []
    for table in version.tables("topic"):
        name = table.text("name")
        topics.append((name, table.texts("words")))
        table.close()
        if name and name in [n for n, _ in topics[:-1]]:
            table.fault("name", f"报送重点“{name}”写了两次", "合并成一个")
    return tuple(topics)
