"""Message catalogs. `python -m mailbot.locale.update` brings them up to date."""
