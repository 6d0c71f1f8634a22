"""Who in a unit is written to on a day, and who is said to be out of reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from mailbot.app.duties.recipients import recipients
from mailbot.app.records import Binding
from mailbot.core.subject.roster import Contact, Unit, UnitName

DAY = date(2026, 9, 23)
UNIT = Unit("jiaoti", (UnitName("教体局"),), "g1")
LIAISON = Contact("liaison", "王甲", address="wangjia@example.org")
HEAD = Contact("head", "李乙", address="liyi@example.org")


def addresses(unit: Unit, *roles: str, bound: tuple[str, ...] = ()) -> list[str]:
    bindings = [Binding(address, unit.id, "bound") for address in bound]
    return [p.address for p in recipients(unit, roles, DAY, bindings).people]


def lacking(unit: Unit, *roles: str) -> tuple[str, ...]:
    return recipients(unit, roles, DAY).lacking


def test_one_person_in_two_roles_gets_one_letter() -> None:
    both = replace(UNIT, contacts=(LIAISON, replace(LIAISON, role="head")))
    assert addresses(both, "liaison", "head") == ["wangjia@example.org"]
    assert lacking(both, "liaison", "head") == ()


def test_a_bound_address_stands_in_for_a_liaison_without_one_but_never_for_a_head() -> None:
    known = replace(UNIT, contacts=(Contact("liaison", "王甲"),))
    assert addresses(known, "liaison", "head", bound=("x@example.org",)) == ["x@example.org"]


def test_whoever_has_left_is_not_written_to_even_where_the_address_is_still_bound() -> None:
    left = replace(LIAISON, end=date(2026, 9, 10))
    gone = replace(UNIT, contacts=(left,))
    assert addresses(gone, "liaison", bound=(LIAISON.address,)) == []
    back = replace(UNIT, contacts=(left, replace(LIAISON, start=date(2026, 9, 20))))
    assert addresses(back, "liaison", bound=(LIAISON.address,)) == [LIAISON.address]


def test_of_two_heads_the_one_out_of_reach_is_named() -> None:
    two = replace(
        UNIT, contacts=(HEAD, Contact("head", "赵丙"), Contact("head", "钱丁", address="@"))
    )
    assert addresses(two, "head") == ["liyi@example.org"]
    assert lacking(two, "head") == ("主要负责人赵丙没有邮箱", "主要负责人钱丁的邮箱写错了：@")


def test_a_wrong_address_is_told_as_such() -> None:
    assert lacking(replace(UNIT, contacts=(replace(HEAD, address="li#yi"),)), "head") == (
        "主要负责人的邮箱写错了：li#yi",
    )
    assert lacking(UNIT, "head") == ("名册里没有主要负责人",)
