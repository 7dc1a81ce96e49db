"""Traits of the machine: evidence that says nothing without the license key."""

import os

import pytest

from tests.sdk.license_server import license_key
from tillkey import platform
from tillkey.fingerprint import fingerprint, license_value
from tillkey.traits import collect
from tillkey.wire import b64
from tillkey.wire.license_key import normalize

VALUE = license_value(normalize(license_key(1)))


def test_each_trait_is_43_characters_that_depend_on_trait_and_license():
    first = fingerprint(VALUE, {"hostname": "till-1", "location": "/x"})
    other = fingerprint(license_value(normalize(license_key(2))), {"hostname": "till-1", "location": "/x"})
    assert all(len(trait) == 43 for trait in first.values())
    assert len({*first.values(), *other.values()}) == 4
    assert fingerprint(VALUE, {"hostname": "till-1"})["hostname"] == first["hostname"]


def test_the_value_of_a_license_key_does_not_show_it():
    assert len(VALUE) == 32
    assert normalize(license_key(1)).encode() not in b64.encode(VALUE).encode()


def test_the_location_is_the_real_path_of_the_state_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert collect(tmp_path / "link", {})["location"] == os.path.realpath(tmp_path)


@pytest.mark.clause("NX-49")
def test_two_set_ups_on_one_machine_differ_in_their_location(tmp_path):
    first, second = collect(tmp_path / "a", {}), collect(tmp_path / "b", {})
    assert {name for name in first if first[name] != second[name]} == {"location"}


def test_the_host_may_replace_add_and_leave_out_traits(tmp_path):
    traits = collect(tmp_path, {"machine_id": "m", "hostname": None, "hardware": "", "drawer": "d"})
    assert traits == {"drawer": "d", "location": os.path.realpath(tmp_path), "machine_id": "m"}


def test_traits_are_the_same_each_time(tmp_path):
    assert collect(tmp_path, {}) == collect(tmp_path, {})
    assert platform.machine_id() == platform.machine_id()
    assert platform.hardware_id() == platform.hardware_id()


def test_the_clocks_show_seconds_and_one_boot():
    first, second = platform.read_clock(), platform.read_clock()
    assert first.boot_id == second.boot_id
    assert 0 < len(first.boot_id) <= 64
    assert second.boottime >= first.boottime > 0
    assert second.wall > 1_700_000_000


def test_without_a_boot_id_the_process_names_the_boot(monkeypatch):
    platform._boot_id.cache_clear()

    def unknown():
        raise OSError

    monkeypatch.setattr(platform, "_system_boot_id", unknown)
    try:
        assert platform.read_clock().boot_id.startswith("process-")
        assert len(platform.read_clock().boot_id) <= 64
    finally:
        platform._boot_id.cache_clear()
