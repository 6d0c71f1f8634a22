"""Killed at every step: the method of isync's run-tests.pl.

A run is the real command (`mailbot once` and others) in a process of its own. `steps` counts what that
process does to the world and kills it at the step it was told; `zygote` forks such processes from
one that has imported everything; `bed` makes the installation, its mailbox and its servers, and says
what is in them; `sweep` kills, restarts and compares.
"""
