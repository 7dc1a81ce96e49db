"""docs/situations.md: one table for each topic, a row for each situation and a column for each policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scripts.situations import devices, refunds, releases, sales, support, terms, tills
from scripts.situations.asking import PLAIN, Answer, Situation, Topic, answered, policies

PAGE = "docs/situations.md"
TOPICS = (
    tills.TOPIC,
    terms.TOPIC,
    refunds.TOPIC,
    support.TOPIC,
    releases.TOPIC,
    sales.TOPIC,
    devices.TOPIC,
)
MANY = 3
"""How many different answers are told of beside those situations in which all differ."""
_HEAD = """\
# The same situations under five vendors' terms

`make situations ARGS=--write` writes this page: each sentence is put, with the same facts, to the rules under each
policy that comes with the server. What differs is data alone, the [files](../server/tillkey_server/policies). `{plain}`
is the plain terms of nobody in particular.

A cell says yes (`allow`), no (`deny`) or that a person or a further fact decides (`pend`), then the [code](codes.md),
what is paid or until when, and the [clauses](clauses.md) that were followed. *Silent*: these terms have no section on
the matter, and the answer is what [silence means](policies.md#what-may-be-left-out). Where they have the section and
are silent on the point, the file adopts another reading, and the clause says whose.

Everything was bought on 5 January 2026 for 80.00 EUR, where the list said 100.00 and now says 120.00, with a year of
support where a buyer may choose; "day 3" is three days later. A renewal without a price costs what its channel asks.
Dates are the last good ones, in the vendor's own time zone and calendar.

{total} situations. In {whole} of them the {vendors} vendors give as many answers, in {part} more at least {many}.
"""


def situations() -> tuple[Situation, ...]:
    """Return all situations in the page's order."""
    return tuple(one for topic in TOPICS for one in topic.situations)


def asked(situation: Situation) -> Mapping[str, Answer]:
    """Return every policy's answer, the vendors' first."""
    return {name: answered(situation, policy) for name, policy in policies().items()}


def ways(answers: Mapping[str, Answer]) -> int:
    """Return how many different answers the vendors give; the plain policy is none of them."""
    return len({answer.kind for name, answer in answers.items() if name != PLAIN})


def rendered(names: frozenset[str] = frozenset()) -> str:
    """Return the page, or the tables of the situations of these names alone."""
    tables = ["\n".join(_table(topic, names)) for topic in TOPICS]
    whole = [table for table in tables if table]
    return "\n".join(whole if names else [_head(), *whole])


def _head() -> str:
    counted = [ways(asked(one)) for one in situations()]
    vendors = len(policies()) - 1
    return _HEAD.format(
        plain=PLAIN,
        total=len(counted),
        vendors=vendors,
        whole=counted.count(vendors),
        part=sum(MANY <= one < vendors for one in counted),
        many=MANY,
    )


def _table(topic: Topic, names: frozenset[str]) -> Iterator[str]:
    chosen = [one for one in topic.situations if not names or one.name in names]
    if not chosen:
        return
    columns = [f"`{name}`" for name in policies()]
    yield f"## {topic.title}\n"
    yield _row(["situation", *columns])
    yield _row(["---"] * (1 + len(columns)))
    for one in chosen:
        yield _row([one.sentence, *(cell(answer) for answer in asked(one).values())])
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def cell(answer: Answer) -> str:
    """Return an answer as the tables show it."""
    silence = "*silent:* " if answer.silent else ""
    told = ", ".join(value if label == "amount" else f"{label} {value}" for label, value in answer.told.items())
    lines = [f"{silence}**{answer.decision}** `{answer.code}`", told, " ".join(answer.clauses)]
    return "<br>".join(line for line in lines if line)
