"""The four families of errors, which never mix.

1. The sender's faults are values (`core.intake.problems.Problem`), never exceptions.
2. The operator's faults (`OperatorFault`): a wrong setting, file or permission. Collected and
   shown all at once, each with its place and what to do.
3. The world's faults, raised by adapters only: `Retryable` (try again later by itself) and
   `Permanent` (trying again unchanged is useless).
4. Our bugs: any other exception. The mail at hand goes to quarantine with the traceback.

`Systemic` marks a world's fault that concerns everything (database, disk, login), not one mail: it
stops the pass and leaves the mailbox untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.app.records import Origin


@dataclass(frozen=True, slots=True)
class Fault:
    """One operator's fault: where (file and key), what was found, what to do."""

    where: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.found}" + (f" → {self.remedy}" if self.remedy else "")


class OperatorFault(Exception):
    """All the operator's faults found in one go."""

    def __init__(self, *faults: Fault, passing: bool = False) -> None:
        """`passing`: may be over by itself soon (a server that is still starting): worth another
        try without anybody's doing."""
        super().__init__("\n".join(str(f) for f in faults))
        self.faults, self.passing = faults, passing


class WorldFault(Exception):
    """Something outside us failed. `code` is a stable word for logs and remedies."""

    def __init__(self, message: str, *, code: str = "", systemic: bool = False) -> None:
        super().__init__(message)
        self.code, self.systemic = code, systemic


class Retryable(WorldFault):
    """Goes away by itself, or may. `after` seconds, when the other side or its kind tells."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        systemic: bool = False,
        after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, systemic=systemic)
        self.after = after


class Permanent(WorldFault):
    """Will fail again unchanged."""


class Uncertain(WorldFault):
    """A letter that may or may not have been accepted: the final dot was sent, no answer read."""


class Unfetched(Retryable):
    """Some mails could not be read whole, though the mailbox as such works. Raised at the end of a
    `fetch`, after all others were handed over. `origins` names them; a strike for each."""

    def __init__(self, failed: Sequence[tuple[Origin, str]]) -> None:
        told = "; ".join(f"{o.folder} UID {o.uid}: {why}" for o, why in failed[:5])
        more = f" (and {len(failed) - 5} more)" if len(failed) > 5 else ""
        super().__init__(f"{len(failed)} mail(s) not fetched: {told}{more}", code="unfetched")
        self.failed = tuple(failed)
        self.origins = tuple(origin for origin, _ in failed)
