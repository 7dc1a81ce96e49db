"""How long things are kept."""

from datetime import UTC, datetime, timedelta

from tillkey_server.rules.retention import horizons

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_the_settings_say_how_long_steps_and_fingerprints_are_kept():
    found = horizons(NOW, lease_days=100, fingerprint_days=30)
    assert (NOW - found.steps, NOW - found.fingerprints) == (timedelta(days=100), timedelta(days=30))


def test_no_setting_keeps_steps_for_less_than_the_protocol_says():
    assert NOW - horizons(NOW, lease_days=1, fingerprint_days=1).steps == timedelta(days=60)


def test_what_is_owed_and_what_runs_is_kept():
    found = horizons(NOW, lease_days=60, fingerprint_days=1)
    assert (found.rates, found.leases, NOW - found.idempotency) == (NOW, NOW, timedelta(days=1))
