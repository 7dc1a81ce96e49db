"""A server process that kills itself with SIGKILL in the midst of a transaction, after so many of its writes.

Armed by the environment of a process that the zygote forks; it counts from where an activation looks its license up,
which is the first statement of that transaction, so that neither sweeps nor limits of rates are counted.
"""

import os
import signal
from collections.abc import Mapping

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

AFTER = "DIES_AFTER_WRITES"
"""The variable: how many INSERT, UPDATE and DELETE statements the database has carried out by then."""
_WRITES = ("INSERT", "UPDATE", "DELETE")
_OPENS = "license.key_hash ="


def arm(env: Mapping[str, str]) -> None:
    """Make this process die as its environment says; without the variable it never does."""
    if AFTER not in env:
        return
    left = {"writes": int(env[AFTER])}

    @event.listens_for(Engine, "after_cursor_execute")
    def after(conn: Connection, _cursor: object, statement: str, *_: object) -> None:
        if _OPENS in statement:
            conn.info["counted"] = conn.get_transaction()
        if conn.info.get("counted") is not conn.get_transaction() or not statement.lstrip().startswith(_WRITES):
            return
        left["writes"] -= 1
        if left["writes"] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
