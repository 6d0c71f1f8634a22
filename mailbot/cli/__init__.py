"""The command line. Parses, calls, prints; decides nothing.

Exit codes: 0 done; 1 a check failed; 2 the operator has something to mend (said on stderr, all of
it at once); 3 the world failed (network, disk, database) and trying again later may help;
70 a fault of ours.
"""

from __future__ import annotations

import os
import sys

from mailbot.adapters import i18n

i18n.install(i18n.choose(sys.argv[1:], os.environ))

from mailbot.cli.main import main  # noqa: E402 - help texts are built while importing

__all__ = ["main"]
