"""A simulated year of an office: the whole installation, a virtual clock, real servers.

`installation` is the machine and its settings, `clock` its time, `days` lets the days go by,
`mails` is what people write, `sink` what came out, `calendar` says by plain code what must.
"""
