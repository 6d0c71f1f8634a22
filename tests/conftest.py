"""What all tests share. Server fixtures live in `tests/servers`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("MAILBOT_LANG", "en")

# Machines are noisy: a slow example is no failure, and CI must not be flaky.
settings.register_profile(
    "mailbot", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.load_profile("mailbot")

pytest_plugins = ["tests.servers.fixtures"]
