"""Which names of a template no document has, found without running it: also in branches that no
sample takes, and inside loops.

Follows the types of `fields.FIELDS` through loops, attributes and `set`. What it cannot follow (a
macro's argument, the result of most filters) it lets pass; rendering samples finds the rest.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from jinja2 import nodes

_ELEMENT = frozenset({"first", "last", "random", "min", "max"})
_SAME = frozenset({"list", "sort", "reverse", "unique", "select", "reject", "default", "d"})
"""Filters whose result is an element of what they get, or of the same type."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that does not exist."""

    name: str
    """As the template has it: 一件.题目."""
    why: str
    known: tuple[str, ...]

    @property
    def remedy(self) -> str:
        near = difflib.get_close_matches(self.name.rpartition(".")[2], self.known, 1, 0.5)
        maybe = f"是不是“{near[0]}”？" if near else ""
        return f"{maybe}可用的有：{'、'.join(self.known)}"


@dataclass(slots=True)
class Walk:
    """One pass over a template's tree; what is wrong collects in `unknown`, which names were used
    in `used`."""

    unknown: list[Unknown] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def template(self, tree: nodes.Template, known: Mapping[str, Any], built_in: set[str]) -> None:
        scope = {**dict.fromkeys(built_in, Any), **known}
        self._top = tuple(known)
        self._visit(tree, scope)

    _top: tuple[str, ...] = ()

    def _visit(self, node: nodes.Node, scope: dict[str, Any]) -> Any:
        """The type of an expression; Any where it is not known."""
        match node:
            case nodes.For():
                self._for(node, scope)
            case nodes.Macro() | nodes.CallBlock():
                inner = scope | {"caller": Any, "varargs": Any, "kwargs": Any}
                inner |= {argument.name: Any for argument in node.args}
                self._children(node, inner)
                if isinstance(node, nodes.Macro):
                    scope[node.name] = Any
            case nodes.With():
                inner = dict(scope)
                for target, value in zip(node.targets, node.values, strict=True):
                    _bind(target, self._visit(value, scope), inner)
                self._all(node.body, inner)
            case nodes.Assign():
                _bind(node.target, self._visit(node.node, scope), scope)
            case nodes.AssignBlock():
                self._all(node.body, scope)
                _bind(node.target, str, scope)
            case nodes.Name():
                return self._name(node, scope)
            case nodes.Getattr():
                return self._attribute(node.node, node.attr, scope)
            case nodes.Getitem():
                return self._item(node, scope)
            case nodes.Filter():
                return self._filter(node, scope)
            case _:
                self._children(node, scope)
        return Any

    def _children(self, node: nodes.Node, scope: dict[str, Any]) -> None:
        self._all(list(node.iter_child_nodes()), scope)

    def _all(self, found: list[nodes.Node], scope: dict[str, Any]) -> None:
        for child in found:
            self._visit(child, scope)

    def _for(self, node: nodes.For, scope: dict[str, Any]) -> None:
        inner = scope | {"loop": Any}
        _bind(node.target, _element(self._visit(node.iter, scope)), inner)
        if node.test is not None:
            self._visit(node.test, inner)
        self._all(node.body, inner)
        self._all(node.else_, scope)

    def _name(self, node: nodes.Name, scope: dict[str, Any]) -> Any:
        if node.ctx != "load":
            scope.setdefault(node.name, Any)
            return Any
        if node.name not in scope:
            self._tell(Unknown(node.name, f"没有叫“{node.name}”的字段", self._top))
            return Any
        self.used.add(node.name)
        return scope[node.name]

    def _attribute(self, owner: nodes.Expr, name: str, scope: dict[str, Any]) -> Any:
        kind = self._visit(owner, scope)
        if is_dataclass(kind):
            known = tuple(f.name for f in fields(kind))
            if name in known:
                return get_type_hints(kind)[name]
            self._tell(Unknown(f"{_said(owner)}.{name}", f"“{_said(owner)}”里没有“{name}”", known))
        elif get_origin(kind) is list and not hasattr(list, name):
            one = _element(kind)
            known = tuple(f.name for f in fields(one)) if is_dataclass(one) else ()
            why = f"“{_said(owner)}”是列表，要先用 for 逐个取出，再写“{name}”"
            self._tell(Unknown(f"{_said(owner)}.{name}", why, known))
        elif isinstance(kind, type) and kind in (str, int) and not hasattr(kind, name):
            self._tell(
                Unknown(f"{_said(owner)}.{name}", f"“{_said(owner)}”是文字，里面没有“{name}”", ())
            )
        return Any

    def _item(self, node: nodes.Getitem, scope: dict[str, Any]) -> Any:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._attribute(node.node, node.arg.value, scope)
        kind = self._visit(node.node, scope)
        self._visit(node.arg, scope)
        return kind if isinstance(node.arg, nodes.Slice) else _element(kind)

    def _filter(self, node: nodes.Filter, scope: dict[str, Any]) -> Any:
        kind = self._visit(node.node, scope) if node.node is not None else Any
        for argument in (*node.args, *node.kwargs):
            self._visit(argument, scope)
        if node.name in _ELEMENT:
            return _element(kind)
        return kind if node.name in _SAME else Any

    def _tell(self, unknown: Unknown) -> None:
        if unknown not in self.unknown:
            self.unknown.append(unknown)


def _bind(target: nodes.Node, kind: Any, scope: dict[str, Any]) -> None:
    if isinstance(target, nodes.Name):
        scope[target.name] = kind
    else:
        scope.update((name.name, Any) for name in target.find_all(nodes.Name))


def _element(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is list else Any


def _said(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_said(node.node)}.{node.attr}"
    return "……"
