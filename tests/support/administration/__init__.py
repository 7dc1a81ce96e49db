"""A valid request for each endpoint of the administration, from which the tests of all endpoints are made.

`EXAMPLES` maps operation ids to makers; each noun's file gives its own.
"""

from tests.support.administration import activations, api_keys, audit, catalogue, licenses, policies, refunds, trials
from tests.support.administration.example import Example, Make, Shelf

EXAMPLES: dict[str, Make] = {
    **api_keys.EXAMPLES,
    **catalogue.EXAMPLES,
    **policies.EXAMPLES,
    **trials.EXAMPLES,
    **refunds.EXAMPLES,
    **licenses.EXAMPLES,
    **activations.EXAMPLES,
    **audit.EXAMPLES,
}

__all__ = ["EXAMPLES", "Example", "Shelf"]
