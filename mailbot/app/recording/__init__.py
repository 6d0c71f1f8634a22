"""Entering what happened (`mailbot record`): one event, or a whole file in one transaction.

Promises: whatever is wrong is found before anything stays written, all of it at once and each with
its place; the same thing is never kept twice; nothing is overwritten, what was wrong is reversed
with a reason; every entry has who, when and what shows it.

An entry goes through the modules in this order: `grid` and `forms` (what was written, by `columns`),
`check` with `details` and `words` (what it means and whether it makes sense), `once` (not kept
before), `worth` (does a rule cover it), `keep` (as a record or an item), `tell` (one sentence).
`desk` is the way through them all. What it is worth is the ledger's business.
"""
