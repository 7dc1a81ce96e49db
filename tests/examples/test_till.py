"""The example till keeps its manners: it sells whatever the server does, asks its license only between sales."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from examples.till import goods, screen
from examples.till.commands import main
from examples.till.licensing import Setup
from examples.till.sale import Line, Sale
from examples.till.till import Closed, Till
from tests.support.server import Installation

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("shop") / "tillkey").init()
    with installation.serving() as server:
        yield installation, server.url


@pytest.fixture
def till(shop, tmp_path):
    """A till that is set up and not activated; `till.license` may be replaced by `told`."""
    installation, url = shop
    Setup("Corner Shop", url, str(installation.data_dir / "keyset.json")).save(tmp_path)
    return Till(tmp_path)


class Told:
    """A license that says what the test wants."""

    def __init__(self, verdict):
        self.verdict = verdict

    def check(self):
        return self.verdict


def told(till, **members):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    verdict = replace(
        till.license.check(),
        status="valid",
        usable=True,
        reason="lease_valid",
        entitlements=("sell", "loyalty"),
        lease_ends_at=now + timedelta(days=30),
        project="Corner Shop",
        environment="production",
        notice="",
        as_of=now,
    )
    till.license = Told(replace(verdict, **members))
    return till


def run(*words, stdin="", **environment):
    return subprocess.run(
        [sys.executable, "-m", "till", *words],
        cwd=ROOT / "examples",
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_till_that_was_never_activated_opens_no_sale(till):
    with pytest.raises(Closed) as closed:
        till.sell("1xTEA")
    assert closed.value.verdict.status == "unlicensed"
    assert till.journal.sold() == (0, 0)


@pytest.mark.clause("X-02")
def test_extras_go_off_when_the_lease_has_run_out_and_selling_goes_on(till):
    full = told(till).sell("2xLATTE")
    assert (full.sale.loyalty, full.sale.points) == (True, 6)
    degraded = told(till, status="degraded", reason="lease_ended", entitlements=("sell",)).sell("2xLATTE")
    assert (degraded.sale.loyalty, degraded.sale.points) == (False, 0)
    assert "Loyalty" not in degraded.text()
    assert till.journal.sold() == (2, 1360)


def test_a_sale_that_was_open_is_closed_whatever_the_license_says_meanwhile(till):
    sale = told(till).open_sale()
    till.ring_up(sale, "1xTEA")
    told(till, status="superseded", usable=False, reason="activation_superseded", entitlements=())
    assert till.close_sale(sale).number == 1
    with pytest.raises(Closed):
        till.open_sale()


def test_words_that_are_no_order_sell_nothing(till):
    told(till)
    for words in ("0xTEA", "1000xTEA", "2x", "COFFEE", "2xTEA;", "-1xTEA", "\uff12xTEA", ""):
        with pytest.raises(goods.UnknownOrder):
            till.sell("1xTEA", words)
    assert till.journal.sold() == (0, 0)


@pytest.mark.parametrize("words", ["2xTEA", "2xtea", "2XTea", "2*tea"])
def test_an_order_may_be_typed_in_any_case(words):
    assert goods.read_order(words) == (2, goods.PRICE_LIST["TEA"])


def test_the_vat_inside_is_rounded_once_per_rate():
    espresso, croissant = goods.PRICE_LIST["ESPRESSO"], goods.PRICE_LIST["CROISSANT"]
    sale = Sale([Line(1, espresso), Line(1, croissant), Line(2, espresso)])
    assert sale.total == 850
    assert sale.vat() == {10: 17, 20: 110}


def test_receipt_numbers_go_on_after_a_restart(till, tmp_path):
    assert told(till).sell("1xTEA").number == 1
    assert told(Till(tmp_path)).sell("1xTEA").number == 2


def test_the_status_line_tells_dates_and_extras_and_the_notice_follows(till):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    grace = told(till, status="grace", notice="Connect this till.", lease_ends_at=now + timedelta(days=3), as_of=now)
    assert screen.screen(grace.license.check()).splitlines() == [
        "[#] license grace | production of Corner Shop | full rights until 2026-03-04 | extras on: loyalty",
        "    Connect this till.",
    ]
    late = told(till, status="degraded", entitlements=("sell",), lease_ends_at=now - timedelta(days=1), as_of=now)
    assert screen.status_line(late.license.check()).endswith("full rights ended 2026-02-28 | extras off")


def test_the_counter_sells_while_the_server_is_away(shop, tmp_path):
    installation, url = shop
    keyset = str(installation.data_dir / "keyset.json")
    key = installation.issue().license_key
    folder = ("--folder", str(tmp_path / "till"))
    active = run(*folder, "activate", key, "--server", url, "--keyset", keyset)
    assert active.returncode == 0, active.stderr
    Setup("Corner Shop", NOWHERE, keyset).save(tmp_path / "till")

    beat = run(*folder, "heartbeat")
    assert beat.returncode == 3
    assert "nothing has changed" in beat.stderr
    counter = run(*folder, stdin="2xespresso 1xcroissant\nheartbeat\nmoonshine\nitems\nstatus\n\nquit\n")
    assert counter.returncode == 0, counter.stderr
    assert "TOTAL EUR                           6.30" in counter.stdout
    assert "MOONSHINE is not on the price list" in counter.stdout
    assert "license valid" in counter.stdout
    assert "\x1b" not in counter.stdout


def test_a_refusal_at_the_counter_names_clauses_and_the_way_out(shop, tmp_path):
    installation, url = shop
    keyset = str(installation.data_dir / "keyset.json")
    key = installation.issue().license_key
    first = ("--folder", str(tmp_path / "first"), "activate", key, "--environment", "staging")
    assert run(*first, "--server", url, "--keyset", keyset).returncode == 0
    second = run("--folder", str(tmp_path / "second"), "activate", key, "--server", url, "--keyset", keyset)
    assert second.returncode == 1
    assert "staging_must_be_deactivated" in second.stdout
    assert "clauses NX-04" in second.stdout
    assert "what can be done: move ticket" in second.stdout


def test_a_folder_without_a_till_is_a_usage_error(tmp_path, capsys):
    assert main(["--folder", str(tmp_path / "none"), "status"]) == 2
    assert "activate it first" in capsys.readouterr().err
