"""The till by hand: `python -m till` with a command, or without one for the counter.

Exit codes: 0 done, 1 refused or closed, 2 usage, 3 the license server was not reached.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tillkey import ConfigurationError, NotActivated, Refused, StateError, Unreachable

from .goods import CURRENCY, PRICE_LIST, UnknownOrder, amount
from .licensing import Setup
from .screen import screen, support_line
from .till import Closed, Till

HELP = "orders like 2xESPRESSO 1xCROISSANT sell; also: items, status, heartbeat, quit"


def main(arguments: list[str] | None = None) -> int:
    """Run one command, or the counter; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except Closed as closed:
        print(screen(closed.verdict))
        print("The till opens no new sale.")
        return 1
    except Refused as refused:
        _say_refusal(refused)
        return 1
    except Unreachable as away:
        print(f"The license server was not reached, and nothing has changed: {away}", file=sys.stderr)
        return 3
    except (UnknownOrder, NotActivated, StateError, ConfigurationError) as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except FileNotFoundError:
        print(f"{asked.folder} holds no till yet: activate it first, see --help.", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="till", description="A till that sells through the Tillkey SDK.")
    home = Path(os.environ.get("TILL_FOLDER", "till-data"))
    parser.add_argument("--folder", type=Path, default=home, help=f"the till's own folder (TILL_FOLDER; now {home})")
    parser.set_defaults(run=_counter)
    commands = parser.add_subparsers(title="commands (without one: the counter)")
    sell = commands.add_parser("sell", help="sell and print the receipt")
    sell.add_argument("order", nargs="+", help="for example 2xESPRESSO")
    sell.set_defaults(run=_sell)
    commands.add_parser("items", help="show the price list").set_defaults(run=_items)
    commands.add_parser("status", help="show the license state; no network").set_defaults(run=_status)
    commands.add_parser("heartbeat", help="renew the lease now").set_defaults(run=_heartbeat)
    commands.add_parser("deactivate", help="free the license for another machine").set_defaults(run=_deactivate)
    _add_activate(commands.add_parser("activate", help="set this till up with a license key"))
    ticket = commands.add_parser("move-ticket", help="let another machine take the license over")
    ticket.add_argument("environment", nargs="?", default="production")
    ticket.set_defaults(run=_move_ticket)
    return parser


def _add_activate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", help="the license key")
    server = os.environ.get("TILL_SERVER", "http://127.0.0.1:8787")
    parser.add_argument("--server", default=server, help=f"the license server's address (TILL_SERVER; now {server})")
    parser.add_argument("--keyset", default="var/tillkey/keyset.json", help="the keyset that this till trusts")
    parser.add_argument("--shop", default="Corner Shop", help="the project that the license is for")
    parser.add_argument("--environment", choices=("production", "staging", "development"), default="production")
    parser.add_argument("--move-ticket", help="a ticket taken on the machine that holds the license")
    parser.set_defaults(run=_activate)


def _activate(asked: argparse.Namespace) -> int:
    try:
        machine = Setup.load(asked.folder).machine
    except FileNotFoundError:
        machine = None
    Setup(asked.shop, asked.server, str(Path(asked.keyset).resolve()), machine).save(asked.folder)
    till = Till(asked.folder)
    till.license.activate(
        asked.key,
        project=asked.shop,
        environment=asked.environment,
        move_ticket=asked.move_ticket,
    )
    print(screen(till.license.check()))
    return 0


def _sell(asked: argparse.Namespace) -> int:
    till = Till(asked.folder)
    print(till.sell(*asked.order).text())
    print(screen(till.license.check()))
    return 0


def _items(_: argparse.Namespace) -> int:
    for item in PRICE_LIST.values():
        print(f"{item.code:<10} {item.name:<20} {amount(item.price):>7} {CURRENCY}")
    return 0


def _status(asked: argparse.Namespace) -> int:
    till = Till(asked.folder)
    verdict = till.license.check()
    count, total = till.journal.sold()
    print(screen(verdict))
    print(f"    {support_line(verdict)} | {count} {'sale' if count == 1 else 'sales'}, {amount(total)} {CURRENCY}")
    return 0 if verdict.usable else 1


def _heartbeat(asked: argparse.Namespace) -> int:
    print(screen(Till(asked.folder).license.heartbeat()))
    return 0


def _deactivate(asked: argparse.Namespace) -> int:
    till = Till(asked.folder)
    till.license.deactivate()
    print(screen(till.license.check()))
    return 0


def _move_ticket(asked: argparse.Namespace) -> int:
    print(Till(asked.folder).license.move_ticket(asked.environment))
    return 0


def _counter(asked: argparse.Namespace) -> int:
    """Sell until the cashier quits; the SDK beats in the background meanwhile."""
    till = Till(asked.folder)
    print(screen(till.license.check()))
    print(HELP)
    with till.license:
        while True:
            try:
                words = input("till> ").split()
            except (EOFError, KeyboardInterrupt):
                print()
                return 0
            if words in (["quit"], ["exit"]):
                return 0
            if words:
                _serve(till, words)


def _serve(till: Till, words: list[str]) -> None:
    """Do what the cashier typed; whatever goes wrong is said, and the counter stays open."""
    try:
        if words == ["items"]:
            _items(argparse.Namespace())
        elif words == ["heartbeat"]:
            print(screen(till.license.heartbeat()))
        elif words == ["status"]:
            print(screen(till.license.check()))
        else:
            print(till.sell(*words).text())
    except Closed as closed:
        print(screen(closed.verdict))
    except Refused as refused:
        _say_refusal(refused)
    except (UnknownOrder, Unreachable, NotActivated, StateError) as wrong:
        print(wrong)


def _say_refusal(refused: Refused) -> None:
    print(refused)
    if refused.clauses:
        print(f"    clauses {', '.join(refused.clauses)}")
    if refused.options:
        print(f"    what can be done: {', '.join(refused.options).replace('_', ' ')}")
