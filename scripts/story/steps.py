"""The nine steps. Each says what happens, lets it happen over HTTP, and checks that it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from examples.till.screen import screen
from examples.till.till import Closed, Till
from tillkey import Refused, Unreachable

from .agent import REFUSED, Agent, Shown
from .machines import Machine
from .server import Server
from .terminal import StepFailed, Terminal

SHOP = "Corner Shop"
OTHER_SHOP = "Harbor Kiosk"
PRODUCTION = "production"
STAGING = "staging"


@dataclass
class Scene:
    """What the steps share: the stage, the license, and the tills that have been installed so far."""

    terminal: Terminal
    server: Server
    agent: Agent
    run: Path
    keyset: Path
    license_id: str
    license_key: str
    tills: dict[str, Till] = field(default_factory=dict)

    def machine(self, name: str) -> Machine:
        """Return the machine of this run that has the name."""
        return Machine(name, self.run / name)

    def install(self, name: str, shop: str = SHOP) -> Till:
        """Set a till up on a fresh machine."""
        self.tills[name] = self.machine(name).install(shop, self.server.url, self.keyset)
        return self.tills[name]

    def held_by(self, name: str) -> str:
        """Return the id of the activation that a till holds."""
        return str(self.tills[name].license.check().activation)


def activate_on_staging(scene: Scene) -> None:
    """Step 1: the shop tries the till out before it sells with it."""
    out = scene.terminal
    till = scene.install("staging-pc")
    out.tell(f'The shop tries the till out on its staging PC, with its license key, for the project "{SHOP}".')
    till.license.activate(scene.license_key, project=SHOP, environment=STAGING)
    verdict = till.license.check()
    out.show(screen(verdict))
    out.check("the staging till is licensed", (verdict.status, verdict.environment), ("valid", STAGING))
    out.show(till.sell("2xESPRESSO", "1xCROISSANT").text())
    out.check("and sells", till.journal.sold(), (1, 630))


def production_refused(scene: Scene) -> None:
    """Step 2: one license is for one till at a time, and staging holds it."""
    out = scene.terminal
    till = scene.install("counter")
    out.tell("The same key on the counter's till, for production, while staging still holds the license.")
    refused = _refusal(lambda: till.license.activate(scene.license_key, project=SHOP, environment=PRODUCTION))
    _show_refusal(out, refused)
    out.check("production is refused, by code", refused.code, "staging_must_be_deactivated")
    out.check("the refusal cites its clauses", bool(refused.clauses), True)
    out.check("and is signed, so the till can believe it", refused.statement is not None, True)
    out.check("staging is as licensed as before", scene.tills["staging-pc"].license.check().status, "valid")


def move_to_production(scene: Scene) -> None:
    """Step 3: staging gives the license up and production takes it, in one transaction."""
    out = scene.terminal
    staging, counter = scene.tills["staging-pc"], scene.tills["counter"]
    ticket = staging.license.move_ticket(PRODUCTION)
    out.tell(f"The staging till asks for a move ticket: {ticket}. It works once, for 24 hours, for this license only.")
    counter.license.activate(scene.license_key, project=SHOP, environment=PRODUCTION, move_ticket=ticket)
    verdict = counter.license.check()
    out.show(screen(verdict))
    out.check("the counter's till is licensed", (verdict.status, verdict.environment), ("valid", PRODUCTION))
    out.check("exactly one activation is active", _active(scene), [scene.held_by("counter")])
    refused = _refusal(staging.license.heartbeat)
    told = (refused.code, refused.statement is not None)
    out.check("staging is told, signed, that it gave the license up", told, ("activation_superseded", True))


def heartbeat(scene: Scene) -> None:
    """Step 4: a till renews its lease in the background; here it does so at once."""
    out = scene.terminal
    till = scene.tills["counter"]
    before = till.license.check()
    after = till.license.heartbeat()
    out.tell("A till renews its lease every few hours by itself. This one does it now, before the reader's eyes.")
    out.show(screen(after))
    out.check("the lease is fresh", after.status, "valid")
    out.check("it ends no earlier than the last one", _not_earlier(before.lease_ends_at, after.lease_ends_at), True)
    out.check("and the activation is the same", after.activation, before.activation)
    out.show(till.sell("1xTEA").text())


def server_dies(scene: Scene) -> None:
    """Step 5: in the middle of a sale the server is gone, and nobody at the counter notices."""
    out = scene.terminal
    till = scene.tills["counter"]
    sold, _ = till.journal.sold()
    sale = till.open_sale()
    out.tell("A customer orders. In the middle of it the license server dies: SIGKILL, no goodbye.")
    out.check("the server's process was killed", scene.server.kill(), -9)
    for order in ("3xLATTE", "2xSANDWICH"):
        till.ring_up(sale, order)
    out.show(till.close_sale(sale).text())
    out.check("the sale was closed, with its receipt", till.journal.sold()[0], sold + 1)
    out.check("a heartbeat gets no answer", _unreachable(till), "connect")
    out.show(screen(till.license.check()))
    out.check("which changes nothing", till.license.check().status, "valid")
    out.show(till.sell("1xBEANS").text())
    out.check("the next customer is served as well", till.journal.sold()[0], sold + 2)


def server_returns(scene: Scene) -> None:
    """Step 6: the server is back and knows what it knew."""
    out = scene.terminal
    out.tell("The server is started again, on the same data.")
    scene.server.start()
    held = scene.held_by("counter")
    after = scene.tills["counter"].license.heartbeat()
    out.show(screen(after))
    out.check("the till's heartbeat is answered", after.status, "valid")
    out.check("by the same activation", after.activation, held)
    out.check("which is still the only active one", _active(scene), [held])


def second_project_refused(scene: Scene) -> None:
    """Step 7: a license belongs to one project."""
    out = scene.terminal
    till = scene.install("kiosk", OTHER_SHOP)
    out.tell(f'Somebody uses the same key for another project, "{OTHER_SHOP}".')
    refused = _refusal(lambda: till.license.activate(scene.license_key, project=OTHER_SHOP, environment=PRODUCTION))
    _show_refusal(out, refused)
    out.check("the second project is refused", refused.code, "bound_to_other_project")
    out.check("the refusal cites its clauses", bool(refused.clauses), True)
    out.check("the first one sells on", scene.tills["counter"].license.heartbeat().status, "valid")


def machine_burns(scene: Scene) -> None:
    """Step 8: nobody can deactivate a machine that is ashes, so an agent does, within limits."""
    out = scene.terminal
    burnt = scene.held_by("counter")
    del scene.tills["counter"]
    out.tell(
        "The counter's till burns down. The shop calls the vendor; an agent frees the license from the server's side."
    )
    reason = "the shop reports that the machine burned down"
    first = scene.agent.force_deactivate(burnt, reason, confirm=False)
    _show_command(out, first)
    asked = "confirmation_required" in first.text
    out.check("a till seen a moment ago needs a second confirmation", (first.exit_code, asked), (REFUSED, True))
    out.check("and nothing happened yet", _active(scene), [burnt])
    second = scene.agent.force_deactivate(burnt, reason, confirm=True)
    _show_command(out, second)
    out.check("with --confirm the license is free", (second.exit_code, _active(scene)), (0, []))
    known = scene.agent.explain(scene.license_id)
    ends = next(one["lease_ends_at"] for one in known["activations"] if one["id"] == burnt)
    out.check("the agent was shown when the old lease ends", ends in second.text, True)
    out.tell(f"Forced deactivations left for this license: {known['forced_deactivations']['remaining']}.")
    out.tell(
        "Were the old machine alive and offline, no server could reach it: it could sell on with full rights until its"
        f" lease ends, {ends}."
    )
    till = scene.install("new-counter")
    till.license.activate(scene.license_key, project=SHOP, environment=PRODUCTION)
    verdict = till.license.check()
    out.show(screen(verdict))
    out.check("the replacement is licensed", (verdict.status, verdict.environment), ("valid", PRODUCTION))


def back_from_the_dead(scene: Scene) -> None:
    """Step 9: the old machine was only scorched. It learns the truth, signed, and never takes the seat back."""
    out = scene.terminal
    out.tell("Somebody digs the old machine out of the ashes and switches it on, with its old disk.")
    till = scene.machine("counter").boot()
    sale = till.open_sale()
    till.ring_up(sale, "1xESPRESSO")
    out.tell("It still trusts its lease and begins a sale. Then its heartbeat comes through.")
    refused = _refusal(till.license.heartbeat)
    out.check("it learns that it was superseded", refused.code, "activation_superseded")
    out.check("from a signed statement", refused.statement is not None, True)
    sold, _ = till.journal.sold()
    out.show(till.close_sale(sale).text())
    out.check("the sale that was open is closed all the same", till.journal.sold()[0], sold + 1)
    out.show(screen(till.license.check()))
    out.check("a new one is not opened", _closed(till), "superseded")
    again = _refusal(lambda: till.license.activate(scene.license_key, project=SHOP, environment=PRODUCTION))
    out.check("and it cannot take the license back", again.code, "license_in_use")
    out.check("the replacement sells on", scene.tills["new-counter"].license.heartbeat().status, "valid")
    out.check("as the only active one", _active(scene), [scene.held_by("new-counter")])


STEPS: tuple[tuple[str, Callable[[Scene], None]], ...] = (
    ("A till is activated on staging", activate_on_staging),
    ("Production is refused while staging holds the license", production_refused),
    ("The license moves to production with a ticket", move_to_production),
    ("Heartbeat: the lease is renewed", heartbeat),
    ("The server dies, and the till goes on selling", server_dies),
    ("The server returns", server_returns),
    ("A second project is refused", second_project_refused),
    ("The machine burns down, an agent frees the license, a new machine takes it", machine_burns),
    ("The old machine comes back from the dead", back_from_the_dead),
)


def _refusal(call: Callable[[], object]) -> Refused:
    """Return the refusal that a call must meet; a yes fails the step."""
    try:
        answer = call()
    except Refused as refused:
        return refused
    raise StepFailed("the server's answer", "a refusal", f"a yes: {answer}")


def _show_refusal(out: Terminal, refused: Refused) -> None:
    out.show(f"refused:    {refused.code}")
    out.show(f"why:        {refused.detail}")
    out.show(f"clauses:    {', '.join(refused.clauses)}")
    out.show(f"what to do: {', '.join(refused.options).replace('_', ' ')}")


def _show_command(out: Terminal, shown: Shown) -> None:
    """Show what an agent types and all that the command answers, word for word."""
    out.show(f"$ {shown.command}")
    out.show(shown.text)


def _unreachable(till: Till) -> str:
    """Return how a heartbeat that must not get through fails."""
    try:
        return f"a yes: {till.license.heartbeat()}"
    except Unreachable as away:
        return away.kind


def _closed(till: Till) -> str:
    """Return the status for which a till opens no sale."""
    try:
        till.open_sale()
    except Closed as closed:
        return closed.verdict.status
    return "a sale was opened"


def _active(scene: Scene) -> list[str]:
    """Return the active activations of the story's license, as the server's own command lists them."""
    every = scene.agent.activations()
    return [str(one["id"]) for one in every if one["license_id"] == scene.license_id and one["status"] == "active"]


def _not_earlier(before: datetime | None, after: datetime | None) -> bool:
    return before is not None and after is not None and after >= before
