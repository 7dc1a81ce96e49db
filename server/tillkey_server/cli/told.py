"""What agents' commands tell a person, each in a sentence: what happened, what may go on, and how many are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tillkey_server.cli.output import moment, shown
from tillkey_server.words.catalogue import ENGLISH, STEPS, phrase, texts

if TYPE_CHECKING:
    from datetime import datetime

    from tillkey_server.cli.output import Output
    from tillkey_server.rules.decision import Decision
    from tillkey_server.usecases.forced_deactivation import ForcedDone
    from tillkey_server.usecases.move import IssuedTicket
    from tillkey_server.usecases.release import Released


def freed(done: ForcedDone) -> str:
    """Return the sentence for a forced deactivation that was granted."""
    until = _selling_on(moment(done.lease_ends_at), done.decision)
    return f"The license {done.license_id} is free{until}; {_left(done.decision)}."


def ticket_made(given: IssuedTicket) -> str:
    """Return the sentence for a ticket that was made by an agent."""
    where = f"Whoever activates in {given.environment} with this ticket before {moment(given.expires_at)}"
    until = _selling_on(moment(given.lease_ends_at), given.decision)
    return f"{where} takes the license over{until}; {_left(given.decision)}."


def standing_changed(decision: Decision, until: datetime | None) -> str:
    """Return the sentence for a license whose standing was changed."""
    facts = decision.facts
    lifted = {"resume": "The suspension was lifted", "release_hold": "The legal hold was lifted"}
    if facts["event"] in lifted:
        return f"{lifted[str(facts['event'])]}; the license is {facts['to']} now."
    done = {
        "revoke": "revoked for good",
        "hold": "on legal hold",
        "suspend": f"suspended until {moment(until) or 'it is resumed'}",
    }[str(facts["event"])]
    return f"The license is {done}{_selling_on(facts.get('lease_ends_at'), decision)}{_live(facts)}."


def given_back(done: Released) -> str:
    """Return the sentence for an activation that was given back on the customer's word."""
    until = _selling_on(moment(done.lease_ends_at), done.decision)
    return f"The license {done.license_id} is free{until}; it counts as no forced deactivation."


def explained(output: Output, told: Mapping[str, Any], language: str = ENGLISH) -> None:
    """Show the answer first, then what it rests on, what could be done, and each decision in words."""
    license_, standing = told["license"], told["standing"]
    output.fields({**license_, **{name: standing[name] for name in ("status", "code", "clauses", "lease_ends_at")}})
    output.fields({"project": (told["project"] or {}).get("name"), "bound_at": told["bound_at"]})
    output.say(standing["words"])
    output.say("")
    _clocks(output, told["clocks"], language)
    output.say("")
    times = ("last_seen_at", "lease_ends_at", "ended_at")
    columns = ("id", "status", "environment", *times, "end_reason", "superseded_by")
    output.table(("activation", *columns[1:]), [[one[name] for name in columns] for one in told["activations"]])
    output.say("")
    output.fields({"forced deactivations": _limit(told["forced_deactivations"]), "copies": _copies(told["chain"])})
    for notice in told["notices"]:
        output.say(phrase("heading_notice", language, words=notice["words"], clauses=", ".join(notice["clauses"])))
    output.say(phrase("heading_steps" if told["next_steps"] else "heading_no_steps", language))
    for step in told["next_steps"]:
        output.say(f"  {texts(STEPS, language)[step]}")
    output.say("")
    _possible(output, told["possible"], language)
    output.say("")
    decisions = [(one["at"], one["actor"], one["words"], one["clauses"]) for one in told["decisions"]]
    output.table(_columns(language, "at", "by", "decision", "clauses"), decisions)


def _clocks(output: Output, clocks: Mapping[str, Any], language: str) -> None:
    """Show each clock, and then the stretches that it comes from."""
    rows = [
        (phrase(f"clock_{name}", language), clock["last_day"], clock["words"], clock["clauses"])
        for name, clock in clocks.items()
    ]
    output.table(_columns(language, "clock", "last_day", "words", "clauses"), rows)
    output.say("")
    output.say(phrase("heading_segments", language))
    output.table(
        _columns(language, "clock", "stretch", "from", "last_day", "paid"),
        [row for name, clock in clocks.items() for row in _stretches(name, clock, language)],
    )


def _stretches(name: str, clock: Mapping[str, Any], language: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    label = phrase(f"clock_{name}", language)
    for one in clock["segments"]:
        kind = phrase(f"stretch_{one['kind']}", language)
        stretch = phrase("stretch_ended", language, stretch=kind) if one["ended_early"] else kind
        rows.append((label, stretch, one["start"], one["last_day"], _paid(one["payment"])))
    for one in clock["taken_out"]:
        kind = phrase("stretch_renewal", language)
        stretch = phrase("stretch_taken_out", language, stretch=kind, refunded_at=one["refunded_at"])
        rows.append((label, stretch, None, None, _paid(one["payment"])))
    return rows


def _paid(payment: Mapping[str, Any] | None) -> str | None:
    return None if payment is None else f"{payment['channel']} {payment['number']}, {payment['amount']}"


def _possible(output: Output, possible: Sequence[Mapping[str, Any]], language: str) -> None:
    output.say(phrase("heading_possible", language))
    rows = [
        (
            phrase(f"action_{one['action']}", language),
            _asked(one["asked"]),
            phrase(f"decision_{one['answer']['decision']}", language),
            one["answer"]["words"],
            one["answer"]["clauses"],
        )
        for one in possible
    ]
    output.table(_columns(language, "action", "asked", "answer", "words", "clauses"), rows)


def _asked(asked: Mapping[str, Any]) -> str | None:
    """Return what tells one question from the others of its topic; the rest is in the document of `--json`."""
    named = {name: asked[name] for name in ("reasons", "support_request", "months", "task") if asked.get(name)}
    return ", ".join(shown(value) for value in named.values()) or None


def _columns(language: str, *names: str) -> tuple[str, ...]:
    return tuple(phrase(f"column_{name}", language) for name in names)


def _selling_on(until: object, decision: Decision) -> str:
    """Return until when the machine that held the license may go on; empty where that is over, or nobody held it."""
    # Both are written alike, with the year first, so that the texts compare as the times do.
    if until is None or str(until) <= str(moment(decision.evaluated_at)):
        return ""
    return f", but a machine that cannot be reached may sell on until {until}"


def _live(facts: Mapping[str, object]) -> str:
    """Return how many leases are still believed; empty where none is."""
    return f" (leases still live: {facts['leases_live']})" if facts["leases_live"] else ""


def _left(decision: Decision) -> str:
    facts = decision.facts
    return f"{facts['remaining']} of {facts['limit']} forced deactivations remaining in {facts['window_days']} days"


def _limit(forced: Mapping[str, Any]) -> str:
    if forced["allowed_now"]:
        when = "allowed now"
    elif forced["retry_at"] is None:
        when = "not allowed"
    else:
        when = f"not before {forced['retry_at']}"
    return f"{forced['remaining']} of {forced['limit']} remaining in {forced['window_days']} days; {when}"


def _copies(chain: Mapping[str, Any]) -> str:
    seen = [event["at"] for event in chain["events"] if event["kind"] in {"fork", "switch"}]
    return f"noticed {len(seen)} times, last at {shown(seen[-1])}" if seen else "none noticed"
