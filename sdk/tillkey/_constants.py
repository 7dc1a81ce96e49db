"""Every default of the SDK in one place.

Durations are seconds unless the name says otherwise; the source is PROTOCOL section 6.
"""

from __future__ import annotations

VERSION = "0.1.0"

HOUR = 3600
DAY = 24 * HOUR

CONNECT_TIMEOUT = 2.0
TOTAL_TIMEOUT = 5.0
LOCK_TIMEOUT = 10.0
"""How long a call by hand waits for another process that is talking to the server."""

HOOK_PATIENCE = 1.0
"""How long a verb waits for the host's hook before it returns without it."""

MAX_REPLY_BYTES = 64 * 1024
"""A keyset may be this long (``wire.keyset``); answers are held to 16 KiB when they are parsed."""
MAX_ROUNDS = 4
"""Signed requests sent by one call: the longest honest way is beat, rebind, redraw, and the request itself."""
MAX_KEYSET_STEPS = 16
KEYSETS_KEPT_BELOW_PIN = 8

BEAT_INTERVAL = 6 * HOUR
BEAT_JITTER = 0.2
STATEMENT_INTERVAL = DAY
BACKOFF_BASE = 60
BACKOFF_CAP = DAY
RETRY_AFTER_CAP = DAY
STARTUP_SPREAD = 60
POLL_INTERVAL = 60
"""How often the background looks whether another process has changed the state file: one ``stat``."""

BELIEVED_LEAP = 48 * HOUR
"""How far the wall clock may run ahead of what is known before it is no longer believed."""
TIMELY_ANSWER = 60
"""Within this time (boot time) of its request an answer may set the clock back."""
CLOCK_TOLERANCE = 300
"""A wall clock behind by less than this is drift, not a clock set back."""
