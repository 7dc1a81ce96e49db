"""docs/integration.md: its table of roles is the code's."""

from pathlib import Path

from tillkey_server.rules.access import ROLES, SERVER_WIDE, Permission, Role

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integration.md").read_text("utf-8")


def test_the_table_of_roles_is_the_codes() -> None:
    lines = PAGE.partition("<!-- roles -->\n")[2].strip().splitlines()
    expected = [
        f"| may | {' | '.join(f'`{role}`' for role in Role)} |",
        f"| --- |{' --- |' * len(Role)}",
        *(
            f"| `{one}`{' (no limits)' if one in SERVER_WIDE else ''} |"
            f" {' | '.join('yes' if one in ROLES[role] else '' for role in Role)} |"
            for one in Permission
        ),
    ]
    assert lines == expected
