import hashlib
import re
from datetime import date, timedelta

import pytest

from tillkey_server.errors import ConfigError
from tillkey_server.policies.loader import (
    PolicyError,
    bundled_policies,
    load_folder,
    load_policy,
    parse_policy,
    parse_recorded,
)
from tillkey_server.rules.policy import PolicyRef, ProjectBinding

TEXT = bundled_policies()["nexopos"].source


def _changed(old, new):
    """The text of a good policy with one thing changed."""
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def _faults(text):
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "nexopos.toml")
    assert str(caught.value) == "\n".join(f"nexopos.toml: {key}: {reason}" for key, reason in caught.value.faults)
    return dict(caught.value.faults)


def test_a_good_file_becomes_a_frozen_policy():
    policy = parse_policy(TEXT, "nexopos.toml").policy
    assert policy.ref == PolicyRef("nexopos", 3)
    assert policy.effective_from == date(2026, 1, 1)
    assert policy.activation.project_binding is ProjectBinding.PERMANENT_AFTER_PRODUCTION
    assert policy.forced_deactivation.window == timedelta(days=365)
    assert policy.takeover.required == ("location",)
    assert policy.move.ticket_lifetime == timedelta(hours=24)
    assert policy.clocks.refund_days is None
    assert policy.standing.suspended == ("NX-42",)
    with pytest.raises(AttributeError):
        policy.version = 2


def test_the_digest_is_the_files_and_the_text_is_kept(tmp_path):
    path = tmp_path / "nexopos.toml"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    loaded = load_policy(path)
    assert loaded.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.source.encode() == path.read_bytes()


@pytest.mark.clause("K-09")
def test_a_kept_text_is_read_again_as_the_same_policy():
    loaded = parse_policy(TEXT, "nexopos.toml")
    assert parse_policy(loaded.source, "recorded nexopos 1") == loaded


@pytest.mark.parametrize(
    "old,new,key,reason",
    [
        ('title = "NexoPOS marketplace terms of use"\n', "", "title", "is missing"),
        ("gap =", "gab =", "forced_deactivation.gab", "is no key of a policy"),
        ("[move]\nticket_hours = 24", "[move]", "move.ticket_hours", "is missing"),
        ("version = 3", 'version = "1"', "version", "Input should be a valid integer"),
        ("version = 3", "version = true", "version", "Input should be a valid integer"),
        ("version = 3", "version = 0", "version", "Input should be greater than or equal to 1"),
        (
            "require_project = true",
            "require_project = 1",
            "activation.require_project",
            "Input should be a valid boolean",
        ),
        (
            "effective_from = 2026-01-01",
            'effective_from = "2026-01-01"',
            "effective_from",
            "Input should be a valid date",
        ),
        ("effective_from = 2026-01-01", "effective_from = 2026-01-01T10:00:00", "effective_from", ""),
        ('name = "nexopos"', 'name = "Nexo POS"', "name", "String should match pattern"),
        ("support_months = 12", 'support_months = "never"', "clocks.support_months", ""),
        ("support_months = 12", "support_months = -1", "clocks.support_months", ""),
        ("limit = 3                            # NX-09", "limit = -1 # NX-09", "forced_deactivation.limit", ""),
        ('"permanent_after_production"', '"for_ever"', "activation.project_binding", "Input should be"),
    ],
)
def test_an_unknown_or_missing_key_and_another_type_are_refused_by_file_key_and_reason(old, new, key, reason):
    faults = _faults(_changed(old, new))
    assert faults[key].startswith(reason)
    assert faults[key]


@pytest.mark.parametrize("duration", ["24", "24 h", "1.5h", "-1h", "h", "", "1y", "007d", "1h30m", "999999s"])
def test_a_bad_duration_is_refused(duration):
    faults = _faults(_changed('gap = "24h"', f'gap = "{duration}"'))
    assert faults == {"forced_deactivation.gap": 'a duration is a number with s, m, h, d or w, like "14d"'}


def test_a_duration_as_a_number_is_refused_since_its_unit_would_be_a_guess():
    assert "forced_deactivation.gap" in _faults(_changed('gap = "24h"', "gap = 24"))


@pytest.mark.clause("NX-50")
@pytest.mark.parametrize("text,length", [("off", None), ("30d", timedelta(days=30)), ("90d", timedelta(days=90))])
def test_unseen_installations_keep_their_seat_or_give_way_no_sooner_than_a_lease_ends(text, length):
    loaded = parse_policy(_changed('unseen_after = "off"', f'unseen_after = "{text}"'), "nexopos.toml")
    assert loaded.policy.activation.release_unseen_after == length


@pytest.mark.parametrize("value", ['"on"', '"never"', '""', "false", "0", "90", '"90 d"'])
def test_what_is_neither_a_duration_nor_off_is_refused(value):
    faults = _faults(_changed('unseen_after = "off"', f"unseen_after = {value}"))
    reason = 'a duration is a number with s, m, h, d or w, like "14d", or "off"'
    assert faults == {"activation.release_unseen_after": reason}


@pytest.mark.clause("NX-03")
@pytest.mark.parametrize("page", ["https://vendor.example", "https://vendor.example:8443/my/licenses?from=till#here"])
def test_a_page_on_which_customers_help_themselves_is_an_address_of_https(page):
    text = _changed("[activation.clauses]", f'self_service = "{page}"\n\n[activation.clauses]')
    assert parse_policy(text, "nexopos.toml").policy.activation.self_service == page


@pytest.mark.parametrize(
    "page",
    [
        *(
            "http://vendor.example",
            "javascript:alert(1)",
            "https://",
            "https://vendor.example/a b",
            "vendor.example",
            "",
        ),
        *("https://somebody@vendor.example/", "https://vendor.example/" + "x" * 240),
    ],
)
def test_what_is_no_address_of_https_is_no_page(page):
    faults = _faults(_changed("[activation.clauses]", f'self_service = "{page}"\n\n[activation.clauses]'))
    assert list(faults) == ["activation.self_service"]


def test_a_reminder_of_staging_cannot_be_off():
    faults = _faults(_changed('stale_after = "30d"', 'stale_after = "off"'))
    assert list(faults) == ["activation.staging_stale_after"]


@pytest.mark.parametrize(
    "text,length",
    [
        ("0h", timedelta()),
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("6h", timedelta(hours=6)),
        ("14d", timedelta(days=14)),
        ("2w", timedelta(days=14)),
    ],
)
def test_a_duration_has_one_of_five_units(text, length):
    loaded = parse_policy(_changed('gap = "24h"', f'gap = "{text}"'), "nexopos.toml")
    assert loaded.policy.forced_deactivation.gap == length


@pytest.mark.parametrize(
    "old,key",
    [
        ('window = "365d"', "forced_deactivation.window"),
        ('staging_stale_after = "30d"', "activation.staging_stale_after"),
        ('every = "6h"', "heartbeat.every"),
        ('soft = "7d"', "lease.soft"),
        ('full = "30d"', "lease.full"),
        ('full_while_refundable = "10d"', "lease.full_while_refundable"),
        ('window = "30d"', "takeover.window"),
    ],
)
def test_a_length_of_nothing_is_refused_where_it_would_mean_nothing(old, key):
    new = re.sub(r'"\w+"', '"0s"', old)
    assert _faults(_changed(old, new)) == {key: "a duration above zero is needed"}


@pytest.mark.parametrize(
    "old,new,key,reason",
    [
        ('soft = "7d"', 'soft = "30d"', "lease.soft", "is not shorter than lease.full"),
        ('soft = "7d"', 'soft = "10d"', "lease.soft", "is not shorter than lease.full_while_refundable"),
        (
            'full_while_refundable = "10d"',
            'full_while_refundable = "31d"',
            "lease.full_while_refundable",
            "is longer than lease.full",
        ),
        ('every = "6h"', 'every = "7d"', "heartbeat.every", "is not shorter than lease.soft"),
        ('gap = "24h"', 'gap = "366d"', "forced_deactivation.gap", "is longer than the window"),
        *(
            (
                'release_unseen_after = "off"',
                f'release_unseen_after = "{shorter}"',
                "activation.release_unseen_after",
                "is shorter than lease.full: a till that still sells offline would lose its seat",
            )
            for shorter in ("0d", "29d", "719h")
        ),
        ("threshold = 3", "threshold = 5", "takeover.threshold", "can never be reached: the components are hardware,"),
        (
            'required = ["location"]',
            'required = ["location", "hostname", "hardware", "machine_id"]',
            "takeover.required",
            "names more components than the threshold asks for",
        ),
        (
            'degraded = ["sell"]',
            "degraded = " + str([f"right_{number:058}" for number in range(30)]).replace("'", '"'),
            "entitlements.granted",
            "is more than a lease of 4 KiB can carry",
        ),
        ('degraded = ["sell"]', 'degraded = ["fly"]', "entitlements.degraded", "'fly' is not granted"),
        (
            "updates_months = 12",
            "refund_days = 30\nrefund_months = 1\nupdates_months = 12",
            "clocks.refund_months",
            "stands beside refund_days",
        ),
        (
            "updates_months = 12",
            'refund_months = 1\nwindow_boundary = "elapsed"\nupdates_months = 12',
            "clocks.window_boundary",
            "counts hours",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(old, new, key, reason):
    assert _faults(_changed(old, new))[key].startswith(reason)


def _timed(months, full):
    """The text of terms whose right of use ends after so many months, with that length of a lease."""
    return _changed("use_months = 0", f"use_months = {months}").replace('\nfull = "30d"', f'\nfull = "{full}"')


@pytest.mark.parametrize("months,longest", [(1, 31), (2, 62), (12, 366), (24, 731)])
def test_a_grace_that_outlasts_the_longest_run_of_the_term_s_months_is_refused(months, longest):
    reason = "is longer than the term in clocks.use_months: no grace outlasts the right"
    assert parse_policy(_timed(months, f"{longest}d"), "nexopos.toml").policy.lease.full == timedelta(days=longest)
    assert _faults(_timed(months, f"{longest + 1}d")) == {"lease.full": reason}


def test_a_text_that_something_was_sold_under_is_read_though_it_contradicts_itself():
    text = _timed(1, "40d")
    assert parse_recorded(text, "nexopos.toml").lease.full == timedelta(days=40)
    with pytest.raises(PolicyError, match=r"nexopos\.toml: lease\.softer: is no key of a policy"):
        parse_recorded(text.replace('\nsoft = "7d"', '\nsofter = "7d"'), "nexopos.toml")


@pytest.mark.parametrize(
    "old,new,key",
    [
        ('binding = ["NX-06"]                  # not', "# not", "activation.clauses.binding"),
        ('suspended = ["NX-42"]', "suspended = []", "standing.clauses.suspended"),
        ('stale = ["NX-48"]\n', "", "activation.clauses.stale"),
        ('unseen = ["NX-50"]', "unseen = []", "activation.clauses.unseen"),
        ('support = ["NX-14"]', 'support = ["nx-14"]', "clocks.clauses.support"),
        ('support = ["NX-14"]', 'support = ["NX14"]', "clocks.clauses.support"),
        ('support = ["NX-14"]', 'support = ["NX-14", "NX-14"]', "clocks.clauses.support"),
        ('support = ["NX-14"]', 'support = "NX-14"', "clocks.clauses.support"),
        ('clauses = ["NX-08", "NX-09"]', 'clauses = ["NX-8"]', "forced_deactivation.clauses"),
    ],
)
def test_a_missing_or_ill_formed_clause_reference_is_refused(old, new, key):
    assert list(_faults(_changed(old, new))) == [key]


@pytest.mark.clause("K-01")
@pytest.mark.parametrize("zone", ['"Europe/Atlantis"', '"Europe"', '"../etc/passwd"', '""', '"/UTC"', "1"])
def test_an_unknown_time_zone_is_refused(zone):
    faults = _faults(_changed('timezone = "Africa/Douala"', f"timezone = {zone}"))
    assert faults["timezone"].endswith("is no time zone of the IANA database")


@pytest.mark.parametrize(
    "old,new,key",
    [
        ('required = ["location"]', 'required = ["mac_address"]', "takeover.required.0"),
        ('required = ["location"]', 'required = ["location", "location"]', "takeover.required"),
        ('degraded = ["sell"]', 'degraded = ["Sell"]', "entitlements.degraded"),
        ('degraded = ["sell"]', 'degraded = ["sell", "sell"]', "entitlements.degraded"),
        ("ticket_hours = 24", "ticket_hours = 0", "move.ticket_hours"),
        ("jitter_percent = 20", "jitter_percent = 51", "heartbeat.jitter_percent"),
    ],
)
def test_a_value_outside_its_kind_is_refused(old, new, key):
    assert list(_faults(_changed(old, new))) == [key]


def test_every_fault_is_told_at_once():
    text = _changed('gap = "24h"', 'gap = "soon"').replace("ticket_hours = 24", "ticket_days = 1")
    assert list(_faults(text)) == ["forced_deactivation.gap", "move.ticket_hours", "move.ticket_days"]


def test_what_is_not_toml_is_refused():
    assert _faults("name = ")["(file)"].startswith("is not TOML")


def test_a_byte_order_mark_as_editors_on_windows_write_it_changes_nothing(tmp_path):
    plain, marked = tmp_path / "plain" / "nexopos.toml", tmp_path / "nexopos.toml"
    plain.parent.mkdir()
    plain.write_text(TEXT, encoding="utf-8")
    marked.write_text(TEXT, encoding="utf-8-sig")
    assert load_policy(marked) == load_policy(plain)


def test_what_is_not_utf_8_or_not_there_is_refused(tmp_path):
    path = tmp_path / "nexopos.toml"
    with pytest.raises(PolicyError, match=r"^nexopos\.toml: \(file\): cannot be read"):
        load_policy(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"^nexopos\.toml: \(file\): is not UTF-8$"):
        load_policy(path)


def test_a_file_is_named_after_its_policy(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"^mine\.toml: name: 'nexopos' belongs into nexopos\.toml$"):
        load_policy(path)


def test_a_folder_is_read_by_name_and_one_that_is_not_there_is_empty(tmp_path):
    (tmp_path / "nexopos.toml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "README.md").write_text("no policy", encoding="utf-8")
    assert list(load_folder(tmp_path)) == ["nexopos"]
    assert load_folder(tmp_path / "nowhere") == {}
