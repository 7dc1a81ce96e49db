"""`audit verify`: whatever is done to the log afterwards is found, and the first bad row is named."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.support.audited import bad, changed, decide, sealed_log, seals, write
from tillkey_server.errors import BadInput
from tillkey_server.ids import new_id
from tillkey_server.store.access_tables import audit_seal
from tillkey_server.store.tables import audit_event
from tillkey_server.usecases import audit as audits
from tillkey_server.usecases.audit import audit_checkpoint, verify_audit
from tillkey_server.usecases.sealing import seal

TAMPERED = {
    "at": lambda house: house.clock.now() + timedelta(seconds=1),
    "actor": lambda _: "agent:other",
    "action": lambda _: "heartbeat",
    "outcome": lambda _: "deny",
    "code": lambda _: "license_revoked",
    "clauses": lambda _: ["K-2", "K-1"],
    "policy_name": lambda _: None,
    "policy_version": lambda _: 2,
    "license_id": lambda _: new_id(),
    "activation_id": lambda _: None,
    "facts": lambda _: {"number": 3, "name": "cafe", "share": 0.1, "nothing": None},
}


def test_every_column_of_the_log_is_tampered_with_below():
    assert {*TAMPERED, "id"} == set(audit_event.c.keys())


@pytest.mark.parametrize("column", TAMPERED)
async def test_a_row_with_a_changed_column_is_named(house, column):
    numbers = await sealed_log(house)
    await write(house, changed(numbers[3], **{column: TAMPERED[column](house)}))
    assert await bad(house) == ("changed", 4, numbers[3])


async def test_a_row_with_another_number_is_named_as_removed(house):
    numbers = await sealed_log(house)
    await write(house, changed(numbers[3], id=numbers[-1] + 100))
    assert await bad(house) == ("removed", 4, numbers[3])


async def test_a_log_that_nobody_touched_is_whole_and_counts_what_is_not_sealed_yet(house):
    await sealed_log(house)
    await decide(house, 3)
    found = await verify_audit(house.services)
    assert (found["ok"], found["sealed"], found["unsealed"]) == (True, 10, 3)


async def test_a_walk_over_many_batches_tells_its_progress(house, monkeypatch):
    monkeypatch.setattr(audits, "BATCH", 4)
    await sealed_log(house)
    told = []
    found = await verify_audit(house.services, progress=lambda *seen: told.append(seen))
    assert (found["ok"], told) == (True, [(4, 10), (8, 10), (10, 10)])


async def test_a_row_removed_in_the_middle_is_named(house):
    numbers = await sealed_log(house)
    await write(house, audit_event.delete().where(audit_event.c.id == numbers[5]))
    assert await bad(house) == ("removed", 6, numbers[5])


async def test_a_row_removed_with_its_seal_leaves_a_gap_that_is_named(house):
    numbers = await sealed_log(house)
    await write(
        house,
        audit_event.delete().where(audit_event.c.id == numbers[5]),
        audit_seal.delete().where(audit_seal.c.seq == 6),
    )
    assert await bad(house) == ("seal_missing", 6, None)


async def test_a_missing_first_seal_is_named(house):
    await sealed_log(house)
    await write(house, audit_seal.delete().where(audit_seal.c.seq == 1))
    assert await bad(house) == ("seal_missing", 1, None)


async def test_rows_in_each_others_places_are_named(house):
    numbers = await sealed_log(house)
    moves = [(5, 10_000), (6, numbers[4]), (5, numbers[5])]
    await write(house, *(audit_seal.update().where(audit_seal.c.seq == seq).values(event_id=to) for seq, to in moves))
    assert await bad(house) == ("reordered", 5, numbers[5])


@pytest.mark.parametrize("column", ["hash", "sealed_at"])
async def test_a_changed_seal_is_named(house, column):
    numbers = await sealed_log(house)
    value = bytes(32) if column == "hash" else house.clock.now() + timedelta(days=1)
    await write(house, audit_seal.update().where(audit_seal.c.seq == 2).values(**{column: value}))
    assert await bad(house) == ("changed", 2, numbers[1])


async def test_a_row_that_cannot_be_read_is_named(house):
    numbers = await sealed_log(house)
    table, beyond = audit_event.name, 10**17
    await write(house, text(f"UPDATE {table} SET at = {beyond} WHERE id = {numbers[2]}"))
    assert await bad(house) == ("changed", 3, numbers[2])


# PostgreSQL's columns hold nothing but what they are made for.
UNSAYABLE = {
    "sqlite": ("facts = :nested", "actor = CAST(:nested AS BLOB)"),
    "postgresql": ("facts = CAST(:nested AS JSON)",),
}


async def test_a_row_that_no_server_can_have_written_is_named_and_does_not_stop_the_walk(house):
    for written in UNSAYABLE[house.services.db.dialect]:
        numbers = await sealed_log(house)
        statement = text(f"UPDATE {audit_event.name} SET {written} WHERE id = {numbers[2]}")
        await write(house, statement.bindparams(nested="[" * 2000 + "]" * 2000))
        assert await bad(house) == ("changed", 3, numbers[2]), written
        await write(house, audit_seal.delete(), audit_event.delete())


async def test_a_row_put_between_others_is_named_before_it_is_sealed(house):
    numbers = await decide(house, 10)
    await write(house, audit_event.delete().where(audit_event.c.id == numbers[4]))
    await seal(house.services)
    await _time_passes(house)
    await _put(house, numbers[4], hours_ago=3)
    assert await bad(house) == ("inserted", None, numbers[4])


async def test_a_row_put_between_others_is_named_after_it_was_sealed(house):
    numbers = await decide(house, 10)
    await write(house, audit_event.delete().where(audit_event.c.id == numbers[4]))
    await seal(house.services)
    await _time_passes(house)
    await _put(house, numbers[4], hours_ago=3)
    house.clock.turn(seconds=2)
    await seal(house.services)
    assert await bad(house) == ("inserted", 11, numbers[4])


async def test_a_row_that_committed_late_while_nobody_sealed_is_no_forgery(house):
    numbers = await decide(house, 10)
    await write(house, audit_event.delete().where(audit_event.c.id == numbers[4]))
    await seal(house.services)
    await _put(house, numbers[4], hours_ago=0)
    house.clock.turn(days=3)
    await decide(house, 2)
    await seal(house.services)
    assert await bad(house) is None


async def test_a_tail_that_was_cut_off_is_seen_with_a_checkpoint(house):
    numbers = await sealed_log(house)
    taken = await _checkpoint(house)
    await write(
        house,
        audit_event.delete().where(audit_event.c.id > numbers[6]),
        audit_seal.delete().where(audit_seal.c.seq > 7),
    )
    assert (await bad(house), await bad(house, taken)) == (None, ("truncated", 8, None))


async def test_a_chain_that_was_rewritten_from_the_start_is_seen_with_a_checkpoint(house):
    numbers = await sealed_log(house)
    taken = await _checkpoint(house)
    await write(house, changed(numbers[3], actor="agent:other"), audit_seal.delete())
    await seal(house.services)
    assert (await bad(house), await bad(house, taken)) == (None, ("rewritten", 10, None))


async def test_a_log_that_went_on_matches_its_checkpoint(house):
    await sealed_log(house)
    taken = await _checkpoint(house)
    house.clock.turn(days=1)
    await sealed_log(house)
    found = await verify_audit(house.services, taken)
    compared = found["checkpoint"]
    assert (found["ok"], compared["seq"], compared["key_state"]) == (True, 10, "active")


async def test_a_checkpoint_of_an_empty_log_binds_the_issuer_alone(house):
    taken = await _checkpoint(house)
    await sealed_log(house)
    assert await bad(house, taken) is None


async def test_a_checkpoint_that_was_changed_is_refused(house):
    await sealed_log(house)
    header, _, signature = (await _checkpoint(house)).split(".")
    other = (await _checkpoint(house)).split(".")[1].replace("e", "f", 1)
    with pytest.raises(BadInput, match="checkpoint"):
        await verify_audit(house.services, f"{header}.{other}.{signature}")


async def test_a_lease_is_no_checkpoint(house):
    reply = await house.till().activate(await house.key())
    with pytest.raises(BadInput, match="typ"):
        await verify_audit(house.services, reply.body["lease"])


async def test_seals_number_without_a_gap(house):
    numbers = await sealed_log(house)
    assert await seals(house) == [(seq, number) for seq, number in enumerate(numbers, 1)]


async def _checkpoint(house):
    return str((await audit_checkpoint(house.services))["checkpoint"])


async def _time_passes(house):
    house.clock.turn(hours=3)
    await sealed_log(house, 1)


async def _put(house, number, *, hours_ago):
    """Put a row with a low number into the log."""
    [other] = await decide(house, 1, at=house.clock.now() - timedelta(hours=hours_ago))
    await write(house, changed(other, id=number))
