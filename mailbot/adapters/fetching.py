"""What the mail sources have in common: limits of one fetch, and how single mails fail.

A source hands over every mail it can before it complains about those it could not: a mail that
the server garbles must not keep the mails behind it from being read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailbot.app.records import Envelope

BATCH_MAILS = 50
BATCH_BYTES = 8 << 20
"""One answer of the server stays below both: few round trips, bounded memory."""

PIECE = 1 << 20
"""Larger mails are read in pieces of this size."""

HEADER_CAP = 256 << 10
"""Bytes kept of a header section when only that is fetched. Real ones stay below 64 kB."""


def batches(envelopes: Iterable[Envelope], cap: int) -> Iterator[list[Envelope]]:
    """Cuts into runs of one folder that fit one answer. A mail that needs a fetch of its own
    (above a piece, above the cap, or of unknown size) comes alone. Keeps the order."""
    batch: list[Envelope] = []
    size = 0
    for envelope in envelopes:
        alone = not 0 < envelope.size <= min(cap, PIECE)
        full = len(batch) >= BATCH_MAILS or size + envelope.size > BATCH_BYTES
        if batch and (alone or full or _place(batch[0]) != _place(envelope)):
            yield batch
            batch, size = [], 0
        if alone:
            yield [envelope]
        else:
            batch.append(envelope)
            size += envelope.size
    if batch:
        yield batch


def _place(envelope: Envelope) -> tuple[str, int]:
    return envelope.origin.folder, envelope.origin.uidvalidity


def header_section(raw: bytes) -> bytes:
    """The header section with its closing empty line (RFC 5322 §2.1), at most `HEADER_CAP`."""
    ends = [i + len(end) for end in (b"\r\n\r\n", b"\n\n") if (i := raw.find(end)) >= 0]
    return raw[: min([*ends, HEADER_CAP])]
