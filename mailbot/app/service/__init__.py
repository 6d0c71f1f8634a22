"""What a mail may ask of the bot: a unit's own account, help, an objection, an approval."""
