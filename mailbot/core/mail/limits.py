"""How much of a mail is read. Every cap of the reader, in one place, with its reason.

Honest mail stays far below all of these: the largest values seen in real submissions are 60 header
fields, a 12 kB header field (an ARC seal), 25 parts and 5 levels of nesting. The caps exist because
the libraries behind the reader are quadratic or recursive: a subject of 20,000 encoded-words costs
the standard library seconds and gigabytes. What is cut off always leaves a defect.
"""

from __future__ import annotations

from typing import Final

FIELDS_MAX: Final = 1_000
"""Header fields of one header section."""
FIELD_BYTES: Final = 32_768
"""Raw bytes of one header field: 400 recipients, or a subject fifty times too long."""
SECTION_BYTES: Final = 262_144
"""Raw bytes of the mail's header section."""
PART_SECTION_BYTES: Final = 65_536
"""Raw bytes of one part's header section: two long file names in percent-encoding."""
ALL_SECTIONS_BYTES: Final = 1_048_576
"""Raw bytes of all header sections of a mail together."""
PARAMETERS_MAX: Final = 100
"""Parameters of one Content-Type or Content-Disposition field."""

PARTS_MAX: Final = 200
DEPTH_MAX: Final = 12
"""Multiparts inside multiparts. Mailing list, signature, mixed, alternative, related make five."""
NESTED_MAX: Final = 20
"""Mails inside the mail that are read (the others stay attachments)."""
NESTED_DEPTH_MAX: Final = 6
"""Forwards inside forwards: a text goes from desk to desk, each forwarding it as an attachment."""

ADDRESSES_MAX: Final = 500
"""Mailboxes of one address field."""
REFERENCES_MAX: Final = 50
RECEIVED_MAX: Final = 50
MESSAGE_ID_CHARS: Final = 250

TEXT_CHARS: Final = 500_000
"""Characters of one text (body, text attachment): an item has at most a few thousand."""
ALL_TEXT_CHARS: Final = 2_000_000
"""Characters of all texts of a mail together."""
HTML_CHARS: Final = 1_000_000
NAME_CHARS: Final = 5_000
"""Characters of a file name: stored as data only, so as long as the attack lists have them."""
VALUE_CHARS: Final = FIELD_BYTES
DETAIL_CHARS: Final = 200
DEFECTS_MAX: Final = 100

SAMPLE_CHARS: Final = 1_000
"""Non-ASCII characters that are looked at to judge a charset."""
