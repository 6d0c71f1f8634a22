"""What a duty leaves behind, made before the transaction that writes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from mailbot.app.duties.model import Prepared
from mailbot.app.letter_records import DutyState, NewDuty
from mailbot.app.posting import Posting
from mailbot.app.records import Outgoing
from mailbot.core.duties.catchup import Passed
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.rules.rulebook import OfficeBook

_log = logging.getLogger(__name__)


def composed(
    posting: Posting, prepared: Prepared, occurrence: Occurrence, book: OfficeBook, now: datetime
) -> tuple[list[Outgoing], list[str]]:
    """The letters as mails, and why one could not be written: the others do not wait for it."""
    outgoing, unwritten = [], []
    for posted in prepared.letters:
        if posted.to.unit_id and posted.not_after is None:
            posted = replace(posted, not_after=occurrence.until)
        try:
            outgoing.append(posting.compose(posted, f"duty:{occurrence.key}", book, now))
        except ValueError as error:
            _log.exception("%s: the letter cannot be written", posted.key)
            unwritten.append(f"给 {posted.to.name or posted.to.address} 的信无法生成：{error}。")
    return outgoing, unwritten


def settled_duty(
    occurrence: Occurrence,
    state: DutyState,
    why: str,
    detail: Mapping[str, object],
    warnings: Sequence[str] = (),
) -> NewDuty:
    return NewDuty(
        key=occurrence.key,
        office=occurrence.office,
        letter=occurrence.rule.id,
        period=occurrence.about,
        stage=occurrence.stage.id,
        due=occurrence.due,
        state=state,
        why=why,
        detail={**detail, "warnings": list(warnings)} if warnings else dict(detail),
    )


def passed_duty(passed: Passed) -> NewDuty:
    return settled_duty(passed.occurrence, DutyState.SKIPPED, passed.why, {})


def called(occurrence: Occurrence) -> str:
    about = occurrence.period.name if occurrence.period is not None else occurrence.about
    return f"{occurrence.rule.name}（{about}，{occurrence.due:%m月%d日 %H:%M} 到期）"
