"""Why a duty could not be done, as the office reads it: a whole sentence and what to do."""

from __future__ import annotations

from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.scoring import NotScored
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name


def why_not(error: Exception, book: OfficeBook) -> str:
    """In Chinese, ending with a full stop."""
    match error:
        case NoRuleInForce():
            return f"{error}。请在该单位的规则文件里补上那一天有效的规定，或改正信件的起始日期。"
        case NotScored():
            return _not_scored(error, book)
        case NotDecided():
            return str(error)
        case OperatorFault():
            return "；".join(str(f) for f in error.faults).rstrip("。") + "。"
        case WorldFault():
            return f"外部条件暂时不具备：{error}。"
    told = str(error) or "没有说明"
    return f"程序出错（{type(error).__name__}：{told}）。请把运行日志交给维护人员。"


def _not_scored(error: NotScored, book: OfficeBook) -> str:
    match error.code:
        case "unscorable":
            return (
                f"记录 {error.what} 无法计分：{error.found.rstrip('。')}。"
                "请用 mailbot record --reverse 编号 撤销后重新登记。"
            )
        case "no_unit":
            return f"名册里没有单位“{unit_name(error.what, book.roster)}”。请核对 units.toml。"
        case "no_office":
            return f"没有设置“{error.what}”这个办公室。已设置的有：{'、'.join(error.choices)}。"
        case "not_begun":
            return f"{error.what} 要到 {error.found} 才开始，还没有可统计的内容。"
        case "not_over":
            return f"{error.what} 到 {error.found} 才结束，结束以后才能封账。"
        case "sealed_already":
            return f"{error.what} 已于 {error.found} 由{'、'.join(error.choices)}封账。"
        case "regrouped":
            now, sealed, last = error.choices
            return (
                f"{error.what}在已封账的 {sealed} 属于 {error.found} 组，名册里现在写成 {now} 组。"
                f"请在 units.toml 里给它写上 earlier_groups（group = {error.found}，"
                f"end 不早于 {last}），封过的账不会跟着改。"
            )
        case "earlier_open":
            return f"{error.what} 之前的 {error.found} 还没有封账，请先封 {error.found}。"
        case "wrong_kind":
            return f"{error.what} 不是这个办公室封账的周期（{error.found}）。"
    return f"{error.what} 无法统计（{error.code} {error.found}）。"
