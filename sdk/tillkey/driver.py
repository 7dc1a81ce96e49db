"""Drives the state machine of ``session`` with a real disk, network, clocks and randomness, under the folder's lock."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable, NoReturn, Optional, Union

from tillkey import session, support
from tillkey.arguments import PLATFORM_VERSION, PROJECT, SITE, TICKET, environment_of, language_of, text_of, word_of
from tillkey.effects import Declined, Draw, Fetch, Flow, Granted, Nothing, Outcome, Released, Save, Send, Unreached
from tillkey.errors import Busy, ConfigurationError, NotActivated, Refused, Unreachable
from tillkey.exchange import Exchange, Machine
from tillkey.holding import Holding
from tillkey.schedule import Due
from tillkey.timeline import effective, merge
from tillkey.traits import collect
from tillkey.transport import Transport
from tillkey.wire import b64, strict_json
from tillkey.wire.errors import WireError
from tillkey.wire.keys import PrivateKey
from tillkey.wire.license_key import normalize
from tillkey.wire.request import Support, path_of, sign_request

_NOT_ACTIVATED = "this till holds no activation of the product; call activate() with the license key first"


@dataclass(frozen=True)
class Host:
    """What the program that uses the SDK told about itself, checked; ``traits`` are those it replaces or leaves out."""

    app_version: str
    platform_version: Optional[str]
    traits: Mapping[str, Optional[str]]


class Driver:
    """The verbs that talk to the server; each returns when the state is saved, or raises as ``errors`` says."""

    def __init__(self, holding: Holding, transport: Transport, host: Host, lock_timeout: float) -> None:
        """Take what the till holds, the way to the server, the host's facts and the wait for the lock in seconds."""
        self._holding = holding
        self._transport = transport
        self._host = host
        self._lock_timeout = lock_timeout

    def activate(
        self,
        license_key: Any,
        project: Optional[str],
        site: Optional[str],
        environment: str,
        move_ticket: Optional[str],
    ) -> Union[Unreachable, Busy, None]:
        """See ``LicenseClient.activate``; returns why the server was not reached where the till goes on without it."""
        ask = session.Ask(
            license_key=_license_key_of(license_key),
            project=text_of("project", project, PROJECT),
            environment=environment_of(environment),
            site=text_of("site", site, SITE),
            move_ticket=text_of("move_ticket", move_ticket.strip() if move_ticket else None, TICKET),
        )
        folder = self._holding.folder
        try:
            _settle(
                self._call(lambda way: session.activate(way, ask, spare_seed=folder.spare_seed()), self._lock_timeout)
            )
        except (Unreachable, Busy) as error:
            if not self._holds(ask):
                raise
            return error
        return None

    def heartbeat(self) -> None:
        """See ``LicenseClient.heartbeat``."""
        _settle(self._call(session.heartbeat, self._lock_timeout))

    def deactivate(self) -> None:
        """See ``LicenseClient.deactivate``."""
        outcome = self._call(session.deactivate, self._lock_timeout)
        if not isinstance(outcome.result, Released):
            _settle(outcome)

    def move_ticket(self, environment: str) -> str:
        """See ``LicenseClient.move_ticket``."""
        wanted = environment_of(environment)
        granted = _settle(self._call(lambda way: session.move(way, wanted), self._lock_timeout))
        if granted.ticket is None:
            raise AssertionError("a granted move has a ticket")
        return granted.ticket

    def support(
        self, task: str, feature: Optional[str], platform_version: Optional[str], language: str
    ) -> support.SupportAnswer:
        """See ``LicenseClient.support``; reads the state as it stands and leaves the lock to whoever beats."""
        wanted = word_of("task", task)
        about = None if feature is None else word_of("feature", feature)
        version = text_of("platform_version", platform_version, PLATFORM_VERSION) or self._host.platform_version
        spoken = language_of(language)
        state, keys = self._holding.read(tidy=False)
        if state.chain is None or state.seed is None:
            raise NotActivated(_NOT_ACTIVATED)
        body = Support(state.chain.activation, wanted, about, version, spoken)
        text = sign_request(
            body,
            aud=keys.newest.issuer,
            rid=b64.encode(secrets.token_bytes(16)),
            keyset=keys.newest.version,
            iat=self._holding.clock().wall,
            key=PrivateKey.from_seed(state.seed),
        )
        reply = self._transport.post(path_of(body), strict_json.dumps({"request": text}))
        told = reply if isinstance(reply, Unreached) else support.read(reply)
        return told if isinstance(told, support.SupportAnswer) else _fail(told)

    def refresh(self) -> None:
        """Read the state again where another process has changed it (for the background)."""
        self._holding.refresh()

    def beat(self) -> None:
        """Beat, or skip the beat with ``Busy`` where another process holds the folder (for the background)."""
        _settle(self._call(session.heartbeat, 0))

    def due(self) -> tuple[Due, int]:
        """Return what the next beat depends on, and the time that it is counted by (for the background).

        That is the last answer's time plus the time since: by a wall clock that is hours ahead every answer would be
        overdue at once. Where the machine was restarted since, it is the effective time.
        """
        reading = self._holding.clock()
        snapshot = self._holding.snapshot
        if snapshot is None:
            return Due(), reading.wall
        evidence, state = snapshot.evidence, snapshot.state
        answered = [document.iat for document in (evidence.lease, evidence.statement) if document is not None]
        due = Due(
            issued_at=max(answered) if answered else (0 if state.chain else None),
            refresh_at=evidence.lease.refresh_at if evidence.lease else None,
            under_statement=evidence.statement is not None,
            pending=state.pending is not None,
        )
        anchor = snapshot.memory.anchor
        if anchor is not None and anchor.boot_id and anchor.boot_id == reading.boot_id:
            return due, anchor.carried(reading)
        return due, effective(snapshot.memory, reading).time

    def _holds(self, ask: session.Ask) -> bool:
        """Tell whether this till holds what was asked for, as ``check()`` will judge it."""
        self._holding.refresh()
        snapshot = self._holding.snapshot
        return snapshot is not None and session.holds(snapshot.state, snapshot.evidence, ask)

    def _call(self, begin: Callable[[Exchange], Flow], wait: float) -> Outcome:
        """Read the state under the lock, drive one flow through, and remember what it left."""
        holding = self._holding
        traits = collect(holding.folder.folder, self._host.traits)
        machine = Machine(self._host.app_version, traits, self._host.platform_version)
        with holding.folder.locked(wait):
            state, keys = holding.read(tidy=True)
            if holding.snapshot is not None:
                state = replace(state, memory=merge(state.memory, holding.snapshot.memory))
            exchange = Exchange(replace(state, keysets=keys.texts), keys, machine)
            try:
                return self._drive(begin(exchange))
            finally:
                holding.remember(exchange.state, exchange.trust)

    def _drive(self, flow: Flow) -> Outcome:
        result: Any = None
        while True:
            try:
                effect = flow.send(result)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome
            result = None
            if isinstance(effect, Save):
                self._holding.folder.save(effect.state)
            elif isinstance(effect, Send):
                result = self._transport.post(effect.path, effect.body)
            elif isinstance(effect, Fetch):
                result = self._transport.get(effect.path)
            elif isinstance(effect, Draw):
                result = secrets.token_bytes(effect.count)
            else:
                result = self._holding.clock()


def _settle(outcome: Outcome) -> Granted:
    """Return what was granted; raise what else came of a call."""
    result = outcome.result
    if isinstance(result, Granted):
        return result
    if isinstance(result, Nothing):
        raise NotActivated(_NOT_ACTIVATED)
    if isinstance(result, Released):
        result = Declined(result.statement.code, result.statement.clauses, result.statement)
    return _fail(result)


def _fail(result: Union[Declined, Unreached]) -> NoReturn:
    """Raise what a refusal, or that nothing was learned, comes to."""
    if isinstance(result, Unreached):
        raise Unreachable(result.kind, result.detail, retry_after=result.retry_after)
    raise Refused(
        result.code,
        clauses=result.clauses,
        statement=result.statement,
        detail=result.detail,
        options=result.options,
        retry_at=result.retry_at,
    )


def _license_key_of(typed: Any) -> str:
    """Return the normalized key (K-14).

    Raises ``Refused`` with ``license_invalid``, as the server would, without asking it.
    """
    if not isinstance(typed, str):
        raise ConfigurationError("license_key: give the key as text")
    try:
        return normalize(typed)
    except WireError as error:
        raise Refused("license_invalid", clauses=("K-14",), detail=f"What was typed {error.detail}.") from error
