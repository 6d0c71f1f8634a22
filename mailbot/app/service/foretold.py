"""What a subject line asks of the bot, and what would be answered to a unit's address, told to who
tries the line. Of no unit and without its books: whether a number is the unit's own stays open."""

from __future__ import annotations

from datetime import date

from mailbot.app.service.appeals import unreadable_appeal
from mailbot.app.service.desk import asked_period, unanswerable
from mailbot.core.intake.commands import Request, Verb


def foretold(request: Request, today: date) -> str:
    """A whole Chinese sentence or two."""
    what = f"这是指令“{request.verb.value}”，不是报送。"
    if request.verb is Verb.HELP:
        return f"{what}已绑定单位或被受理过的邮箱发来时，回复报送要求和主题示例。"
    if request.verb is Verb.APPEAL:
        if wrong := unreadable_appeal(request):
            return f"{what}但{wrong}，会回信说明应当怎样写，不立申诉。"
        about = request.receipt or f"记录{request.record}"
        return f"{what}已绑定单位的邮箱发来、{about}是本单位的，就立为申诉，回信告知编号，等工作人员答复。"
    if (refused := unanswerable(request, today)) is not None:
        return f"{what}但{refused[0]}，会回信说明：{refused[1]}"
    about = request.receipt or asked_period(request, today).name
    told = "的登记、计分和申诉" if request.receipt else "的报送、计分和申诉"
    return f"{what}已绑定单位的邮箱发来时，回复本单位{about}{told}情况；未绑定的邮箱不回复，转人工核实。"
