"""
The commands of the command line, a module a noun: signature, call, text. What computes is in the packages below.

Nothing but typer is imported at the start: a command imports what it calls, so that the help comes at once.
"""
