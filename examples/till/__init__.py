"""A till: it sells over the counter, prints receipts, and embeds the Tillkey SDK (`licensing.py`)."""
