"""A valid request for each endpoint of the administration, from which the tests of all endpoints are made.

`EXAMPLES` maps operation ids to makers; each noun's file gives its own.
"""

from tests.support.administration import (
    accounts,
    activations,
    api_keys,
    audit,
    catalogue,
    licenses,
    policies,
    purchases,
    refunds,
    renewals,
    sales,
    software_releases,
    support,
    trials,
    warranty,
)
from tests.support.administration.example import Example, Make, Shelf

EXAMPLES: dict[str, Make] = {
    **api_keys.EXAMPLES,
    **catalogue.EXAMPLES,
    **sales.EXAMPLES,
    **purchases.EXAMPLES,
    **accounts.EXAMPLES,
    **policies.EXAMPLES,
    **trials.EXAMPLES,
    **software_releases.EXAMPLES,
    **warranty.EXAMPLES,
    **refunds.EXAMPLES,
    **licenses.EXAMPLES,
    **renewals.EXAMPLES,
    **activations.EXAMPLES,
    **support.EXAMPLES,
    **audit.EXAMPLES,
}

__all__ = ["EXAMPLES", "Example", "Shelf"]
