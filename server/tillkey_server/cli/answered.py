"""How a person is shown the answer to a question about the terms: in words, then yes or no, and by which clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tillkey_server.cli.running import Done

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output

_SAID = {"allow": "yes", "deny": "no", "pend": "pending"}


def answered(members: Mapping[str, object], facts: Sequence[str] = ()) -> Done:
    """Return the outcome of a question from `answered_of`'s members; of its facts the named ones are shown."""
    return Done(dict(members), lambda output: show_answer(output, members, facts))


def show_answer(output: Output, members: Mapping[str, object], facts: Sequence[str] = ()) -> None:
    """Show the sentence first; then the answer, its clauses and terms, when to ask again and what to do instead."""
    policy, known = members["policy"], members["facts"]
    assert isinstance(policy, Mapping), "answered_of names the terms"
    assert isinstance(known, Mapping), "answered_of gives the facts"
    output.say(str(members["words"]))
    shown = {
        "answer": f"{_SAID[str(members['decision'])]}, {members['code']}",
        "clauses": members["clauses"],
        "terms": f"{policy['name']}, version {policy['version']}",
        "again": members["retry_at"],
        "instead": members["options"],
        **{name: known.get(name) for name in facts},
    }
    output.fields({name: value for name, value in shown.items() if value not in (None, [], ())})
    clocks = [one for one in known.get("clocks", ()) if isinstance(one, Mapping) and "due_at" in one]
    if clocks:
        columns = ("clock", "due_at", "clauses")
        output.table(columns, [[clock[column] for column in columns] for clock in clocks])
