"""Whose word about the sender is believed; the numbers are those of `api.proxies`."""

import ipaddress

import pytest
from starlette.datastructures import Headers

from tillkey_server.api.proxies import sender_of

TRUSTED = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "fd00::/8"))
PROXY, OTHER_PROXY, SENDER, LIAR = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.9"


def sender(peer, *headers, trusted=TRUSTED):
    return sender_of(peer, Headers(raw=[(name.encode(), value.encode()) for name, value in headers]), trusted)


@pytest.mark.parametrize("header", [("x-forwarded-for", SENDER), ("forwarded", f"for={SENDER}")])
def test_who_is_no_trusted_proxy_is_the_sender_whatever_it_says(header):
    assert sender(LIAR, header) == LIAR
    assert sender(PROXY, header, trusted=()) == PROXY


@pytest.mark.parametrize(
    "headers",
    [
        [("x-forwarded-for", SENDER)],
        [("x-forwarded-for", f"{LIAR}, {SENDER}")],
        [("x-forwarded-for", f"{SENDER}, {OTHER_PROXY}")],
        [("x-forwarded-for", LIAR), ("x-forwarded-for", f"{SENDER},{OTHER_PROXY}")],
        [("x-forwarded-for", f"{SENDER}:4711")],
        [("x-forwarded-for", f"::ffff:{SENDER}")],
        [("forwarded", f"for={SENDER}")],
        [("forwarded", f'For="{SENDER}:4711";proto=https;by=203.0.113.43')],
        [("forwarded", f"proto=https;for={LIAR}, proto=http; for={SENDER}")],
        [("x-forwarded-for", SENDER), ("forwarded", f"for={SENDER}")],
    ],
)
def test_the_first_hop_backwards_that_is_no_trusted_proxy_is_the_sender(headers):
    assert sender(PROXY, *headers) == SENDER


def test_ipv6_is_read_with_and_without_brackets():
    for header in (("forwarded", 'for="[2001:db8::7]:4711"'), ("x-forwarded-for", "2001:db8::7")):
        assert sender("fd00::1", header) == "2001:db8::7"


def test_a_proxy_that_connects_by_ipv4_in_ipv6_is_the_same_proxy():
    assert sender(f"::ffff:{PROXY}", ("x-forwarded-for", SENDER)) == SENDER


def test_headers_that_contradict_one_another_are_not_believed():
    assert sender(PROXY, ("x-forwarded-for", SENDER), ("forwarded", f"for={LIAR}")) == PROXY


@pytest.mark.parametrize("odd", ["unknown", "_hidden", "x" * 300, "", "[", "1.2.3.4.5"])
def test_a_hop_that_is_no_address_ends_the_walk_at_the_proxy_behind_it(odd):
    assert sender(PROXY, ("x-forwarded-for", f"{SENDER}, {odd or 'none'}, {OTHER_PROXY}")) == OTHER_PROXY
    assert sender(PROXY, ("x-forwarded-for", odd)) == PROXY
    assert sender(PROXY, ("forwarded", f"for={odd}")) == PROXY
