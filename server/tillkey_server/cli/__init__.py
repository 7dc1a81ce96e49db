"""The command line: a caller of use cases like the HTTP interface, for operators, agents and scripts.

The modules of this room import the rest of the server inside their commands, so that `--help` is quick.
"""
