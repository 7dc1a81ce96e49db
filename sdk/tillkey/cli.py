"""``tillkey``: the SDK on the command line, for the person who sets a till up and for scripts.

Exit codes: 0 done, 1 refused or impossible here (with ``--json`` the problem on standard output), 2 usage, 3
unreachable. ``activate`` on a license that this till holds is done, and says on standard error that the server was not
reached. With ``--json`` standard output holds the JSON alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from tillkey._constants import VERSION
from tillkey.client import LicenseClient
from tillkey.errors import Busy, ConfigurationError, NotActivated, Refused, StateError, TillkeyError, Unreachable
from tillkey.verdict import Verdict
from tillkey.wire.fields import ENGLISH, ENVIRONMENTS, LANGUAGES

DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3

_SETTINGS = {
    "server": ("TILLKEY_SERVER", "ADDRESS", "address of the license server"),
    "product": ("TILLKEY_PRODUCT", "CODE", "the product's code"),
    "keyset": ("TILLKEY_KEYSET", "FILE", "the keyset that the product ships"),
    "proxy": ("TILLKEY_PROXY", "ADDRESS", "a proxy (default: what HTTPS_PROXY and NO_PROXY say)"),
    "ca_file": ("TILLKEY_CA_FILE", "FILE", "the certificates of a private authority"),
    "state_dir": ("TILLKEY_STATE_DIR", "FOLDER", "where keys and leases are kept (default: the user's data folder)"),
}
_OF_ARGUMENTS = {"pinned_keyset": "keyset"}
"""Settings whose argument of the client has another name."""
_NEVER_ASKED = "https://status-asks-no-server.invalid"
_COLORS = {
    "valid": "32",
    "refresh_due": "32",
    "grace": "33",
    "degraded": "33",
}
_RED = "31"
_LOOK_COLORS = {"ok": "32", "warn": "33", "fail": _RED}
_TABLE = (
    ("status", "status"),
    ("usable", "usable"),
    ("reason", "reason"),
    ("project", "project"),
    ("environment", "environment"),
    ("entitlements", "entitlements"),
    ("full rights until", "lease_ends_at"),
    ("support until", "support_until"),
    ("use until", "use_until"),
    ("activation", "activation"),
    ("clock suspect", "clock_suspect"),
)
_SUPPORT_TABLE = (
    ("answer", "decision"),
    ("code", "code"),
    ("clauses", "clauses"),
    ("charged", "charged"),
    ("acknowledged by", "acknowledge_by"),
    ("answered by", "reply_by"),
    ("solved by", "resolve_by"),
    ("corrected by", "fix_by"),
    ("missing", "missing"),
    ("instead", "options"),
    ("ask again", "retry_at"),
    ("support runs", "care_active"),
    ("support until", "care_until"),
)
_ENDED = "lease was until"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command and return its exit code; ``arguments`` default to the process's own."""
    try:
        code = _run(_parser().parse_args(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; what is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


def _run(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name, None) or os.environ.get(setting[0]) for name, setting in _SETTINGS.items()}
    try:
        return int(options.run(_client(given, options), options))
    except ConfigurationError as error:
        complaint = _as_typed(str(error))
        return _fail(options, USAGE, {"code": "usage", "detail": complaint}, complaint)
    except Unreachable as error:
        problem = {"code": "unreachable", "kind": error.kind, "detail": str(error), "retry_after": error.retry_after}
        return _fail(options, UNREACHABLE, problem, f"unreachable: {error}")
    except TillkeyError as error:
        return _fail(
            options, REFUSED, _problem(error), f"refused: {error}" if isinstance(error, Refused) else str(error)
        )
    except KeyboardInterrupt:
        return _fail(
            options,
            UNREACHABLE,
            {"code": "interrupted"},
            "interrupted; the same command goes on where this one stopped",
        )


def _parser() -> argparse.ArgumentParser:
    # SUPPRESS, so that an option before the command is not overwritten by its own default after it.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    for name, (variable, metavar, text) in _SETTINGS.items():
        common.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=f"{text} [{variable}]")
    common.add_argument("--json", action="store_true", help="print JSON alone")
    parser = argparse.ArgumentParser(prog="tillkey", description="License this till.", parents=[common])
    parser.add_argument("--version", action="version", version=f"tillkey {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, run: Callable[..., int]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, parents=[common])
        made.set_defaults(run=run)
        return made

    activate = command("activate", "take a license into use on this till; again is a heartbeat", _activate)
    activate.add_argument("license_key", metavar="KEY", help="the license key, or - to read it from standard input")
    activate.add_argument("--project", metavar="NAME", help="the shop that the license is used for")
    activate.add_argument("--site", metavar="ADDRESS", help="the shop's site")
    activate.add_argument("--environment", choices=ENVIRONMENTS, default="production", help="default: production")
    activate.add_argument("--move-ticket", metavar="TICKET", help="from `tillkey move-ticket` on the old machine")
    activate.add_argument("--app-version", metavar="VERSION", default="", help="reported to the server")
    command("status", "say what this till may do now; asks no server", _status)
    command("doctor", "look at everything between this till and its license; changes nothing", _doctor)
    command("heartbeat", "renew the lease now", _heartbeat)
    command("deactivate", "give the license back", _deactivate)
    ticket = command("move-ticket", "get a ticket that takes the license to another machine", _move_ticket)
    ticket.add_argument(
        "environment", nargs="?", choices=ENVIRONMENTS, default="production", help="default: production"
    )
    support = command("support", "ask whether support is given, and until when; changes nothing", _support)
    support.add_argument("--task", metavar="WORD", required=True, help="what is asked for, in the words of the terms")
    support.add_argument("--feature", metavar="WORD", help="the feature that it is about")
    support.add_argument("--platform-version", metavar="VERSION", help="what the till runs on")
    support.add_argument("--language", choices=LANGUAGES, default=ENGLISH, help=f"default: {ENGLISH}")
    return parser


def _client(given: Mapping[str, Optional[str]], options: argparse.Namespace) -> LicenseClient:
    wanted = ("product", "keyset") if options.run is _status else ("server", "product", "keyset")
    missing = [name for name in wanted if not given[name]]
    if missing:
        raise ConfigurationError(f"missing: {', '.join(map(_option, missing))}")
    return LicenseClient(
        given["server"] or _NEVER_ASKED,
        given["product"] or "",
        given["keyset"] or "",
        given["state_dir"] or None,
        app_version=getattr(options, "app_version", ""),
        proxy=given["proxy"] or None,
        ca_file=given["ca_file"] or None,
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')} (or {_SETTINGS[name][0]})"


def _as_typed(complaint: str) -> str:
    """Return a complaint about an argument of the client as one about what a person gave to the command."""
    argument, _, rest = complaint.partition(": ")
    name = _OF_ARGUMENTS.get(argument, argument)
    return f"{_option(name)}: {rest}" if name in _SETTINGS else complaint


def _activate(client: LicenseClient, options: argparse.Namespace) -> int:
    key = sys.stdin.readline() if options.license_key == "-" else options.license_key
    verdict = client.activate(
        key,
        project=options.project,
        site=options.site,
        environment=options.environment,
        move_ticket=options.move_ticket,
    )
    if client.last_error is not None:
        sys.stderr.write(f"the license server was not reached, and the till goes on: {client.last_error}\n")
    return _show(verdict, options)


def _status(client: LicenseClient, options: argparse.Namespace) -> int:
    return _show(client.check(), options)


def _doctor(client: LicenseClient, options: argparse.Namespace) -> int:
    looks = client.examine()
    well = all(look.verdict != "fail" for look in looks)
    if _json(options):
        _print(json.dumps({"ok": well, "checks": [look.as_dict() for look in looks]}, ensure_ascii=False, indent=2))
        return DONE if well else REFUSED
    width = max(len(look.name) for look in looks)
    for look in looks:
        _print(f"{_colored(look.verdict.ljust(4), _LOOK_COLORS[look.verdict])}  {look.name:<{width}}  {look.detail}")
        if look.mend:
            _print(f"{'':4}  {'':<{width}}  {look.mend}")
    return DONE if well else REFUSED


def _heartbeat(client: LicenseClient, options: argparse.Namespace) -> int:
    return _show(client.heartbeat(), options)


def _deactivate(client: LicenseClient, options: argparse.Namespace) -> int:
    return _show(client.deactivate(), options)


def _move_ticket(client: LicenseClient, options: argparse.Namespace) -> int:
    ticket = client.move_ticket(options.environment)
    if _json(options):
        _print(json.dumps({"ticket": ticket, "environment": options.environment}))
    else:
        _print(ticket)
    return DONE


def _support(client: LicenseClient, options: argparse.Namespace) -> int:
    answer = client.support(
        options.task,
        feature=options.feature,
        platform_version=options.platform_version,
        language=options.language,
    )
    members = answer.as_dict()
    if _json(options):
        _print(json.dumps(members, ensure_ascii=False, indent=2))
        return DONE
    _print(answer.text)
    width = max(len(label) for label, _ in _SUPPORT_TABLE)
    for label, name in _SUPPORT_TABLE:
        text = _words(members[name])
        if text:
            _print(f"{label:<{width}}  {text}")
    return DONE


def _show(verdict: Verdict, options: argparse.Namespace) -> int:
    members = verdict.as_dict()
    if _json(options):
        _print(json.dumps(members, ensure_ascii=False, indent=2))
        return DONE
    width = max(len(label) for label, _ in _TABLE)
    full = verdict.usable and verdict.status != "degraded"
    for label, name in _TABLE:
        text = _words(members[name])
        if name == "status":
            text = _colored(text, _COLORS.get(verdict.status, _RED))
        if text:
            shown = _ENDED if name == "lease_ends_at" and not full else label
            _print(f"{shown:<{width}}  {text}")
    for line in (verdict.notice, *verdict.problems):
        if line:
            _print(line)
    return DONE


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)


def _problem(error: TillkeyError) -> dict[str, Any]:
    if isinstance(error, Refused):
        return {
            "code": error.code,
            "clauses": list(error.clauses),
            "detail": error.detail,
            "options": list(error.options),
            "retry_at": error.retry_at,
            "signed": error.statement is not None,
        }
    codes = {NotActivated: "not_activated", Busy: "busy", StateError: "state_error"}
    return {"code": codes.get(type(error), "error"), "detail": str(error)}


def _fail(options: argparse.Namespace, code: int, problem: Mapping[str, Any], sentence: str) -> int:
    if _json(options):
        _print(json.dumps(problem, ensure_ascii=False, indent=2))
    else:
        sys.stderr.write(f"{sentence}\n")
    return code


def _json(options: argparse.Namespace) -> bool:
    return bool(getattr(options, "json", False))


def _colored(text: str, color: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{color}m{text}\x1b[0m"


def _print(text: str) -> None:
    # A console that cannot show a character, such as one of Windows in a legacy code page, must not end the command.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")


if __name__ == "__main__":
    sys.exit(main())
