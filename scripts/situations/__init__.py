"""The same situations put to each bundled policy: plain sentences, facts that are alike, and what the rules answer."""
