"""How a decision and a policy's section cite the terms: clause ids in the vendor's own numbering, as `NX-09`."""

Clauses = tuple[str, ...]
