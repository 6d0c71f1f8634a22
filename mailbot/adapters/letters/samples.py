"""Letters of every kind, to try templates on before anybody sees them.

Together they take both ways at every fork a letter's values can lead a template to. Invented people
and numbers.
"""

from __future__ import annotations

from mailbot.adapters.letters.samples_answers import ANSWERS
from mailbot.adapters.letters.samples_notices import NOTICES
from mailbot.adapters.letters.samples_office import OFFICE_LETTERS
from mailbot.adapters.letters.samples_service import SERVICE
from mailbot.adapters.letters.samples_units import UNIT_LETTERS
from mailbot.core.letters.every import Letter

SAMPLES: tuple[Letter, ...] = (*ANSWERS, *UNIT_LETTERS, *OFFICE_LETTERS, *NOTICES, *SERVICE)
