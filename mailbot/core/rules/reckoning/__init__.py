"""How each kind of rule books its entries; `mailbot.core.rules.ledger` puts them together."""
