"""Who may do what: roles, the permissions that each has, and the part of the vendor's business that a caller sees.

1. A permission is one thing that can be done; a role is a set of permissions. `ROLES` is the only table of them: the
   HTTP interface, the documentation and the tests are made from it.
2. Whoever lacks a permission is told so (`permission_denied`), whether or not the object exists.
3. A scope limits a caller to customers, to products, or to both. What lies outside does not exist for them
   (`not_found`), so that nobody learns by asking what others have (I13).
4. What concerns the whole server (API keys, the products on sale, the vendor's closures, sealing the audit log, who was
   erased, the word of the marketplace itself) needs a caller without limits. A marketplace gives each of its sellers a
   key with limits: none of them speaks for it (BC-28), nor does anybody who decides refunds for a vendor.
5. The operator at the machine's command line is an admin without limits: whoever reads the data folder can do all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class Role(StrEnum):
    """What kind of caller an API key is for."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    AGENT = "agent"
    INTEGRATION = "integration"
    READ_ONLY = "read_only"


class Permission(StrEnum):
    """One thing that can be done."""

    SELF_READ = "self.read"
    PRODUCT_READ = "product.read"
    PRODUCT_WRITE = "product.write"
    CUSTOMER_READ = "customer.read"
    CUSTOMER_WRITE = "customer.write"
    ACCOUNT_REQUEST = "account.request"
    ACCOUNT_SUSPEND = "account.suspend"
    ACCOUNT_TERMINATE = "account.terminate"
    ACCOUNT_ERASED = "account.erased"
    INSTALL_CREDIT_USE = "install_credit.use"
    PROJECT_READ = "project.read"
    PROJECT_WRITE = "project.write"
    ORDER_READ = "order.read"
    ORDER_WRITE = "order.write"
    ORDER_REVIEW = "order.review"
    LICENSE_READ = "license.read"
    LICENSE_ISSUE = "license.issue"
    LICENSE_SUSPEND = "license.suspend"
    LICENSE_REVOKE = "license.revoke"
    LICENSE_HOLD = "license.hold"
    LICENSE_REKEY = "license.rekey"
    LICENSE_TRANSFER = "license.transfer"
    LICENSE_RENEW = "license.renew"
    SUBSCRIPTION_CHANGE = "subscription.change"
    ACTIVATION_READ = "activation.read"
    ACTIVATION_RELEASE = "activation.release"
    ACTIVATION_FORCE = "activation.force"
    FORCE_OVERRIDE = "force.override"
    SUPPORT_READ = "support.read"
    SUPPORT_WRITE = "support.write"
    SUPPORT_OVERRIDE = "support.override"
    CLOSURE_WRITE = "closure.write"
    POLICY_READ = "policy.read"
    AUDIT_READ = "audit.read"
    AUDIT_VERIFY = "audit.verify"
    REFUND_READ = "refund.read"
    REFUND_REQUEST = "refund.request"
    REFUND_DECIDE = "refund.decide"
    REFUND_AS_PLATFORM = "refund.as_platform"
    REFUND_PAYOUT = "refund.payout"
    BALANCE_SPEND = "balance.spend"
    API_KEY_READ = "api_key.read"
    API_KEY_WRITE = "api_key.write"
    RELEASE_READ = "release.read"
    RELEASE_WRITE = "release.write"
    DOWNLOAD_GRANT = "download.grant"
    WARRANTY_READ = "warranty.read"
    WARRANTY_OPEN = "warranty.open"
    WARRANTY_WRITE = "warranty.write"
    QUOTE_ACCEPT = "quote.accept"


_P = Permission
_READ = frozenset(
    {
        _P.SELF_READ,
        _P.PRODUCT_READ,
        _P.CUSTOMER_READ,
        _P.PROJECT_READ,
        _P.ORDER_READ,
        _P.LICENSE_READ,
        _P.ACTIVATION_READ,
        _P.SUPPORT_READ,
        _P.REFUND_READ,
        _P.POLICY_READ,
        _P.RELEASE_READ,
        _P.WARRANTY_READ,
    }
)
_SERVICE = {_P.ACCOUNT_REQUEST, _P.DOWNLOAD_GRANT, _P.WARRANTY_OPEN, _P.QUOTE_ACCEPT, _P.REFUND_REQUEST}
"""What a shop asks for, whoever asks in its name: a person of the vendor or the vendor's own shop."""
_AGENT = (
    _READ
    | _SERVICE
    | {
        _P.PROJECT_WRITE,
        _P.LICENSE_REKEY,
        _P.SUBSCRIPTION_CHANGE,
        _P.ACTIVATION_FORCE,
        _P.SUPPORT_WRITE,
        _P.INSTALL_CREDIT_USE,
        _P.WARRANTY_WRITE,
    }
)
_SUPERVISOR = _AGENT | {
    _P.AUDIT_READ,
    _P.AUDIT_VERIFY,
    _P.CUSTOMER_WRITE,
    _P.LICENSE_SUSPEND,
    _P.LICENSE_REVOKE,
    _P.LICENSE_TRANSFER,
    _P.LICENSE_RENEW,
    _P.ACTIVATION_RELEASE,
    _P.FORCE_OVERRIDE,
    _P.SUPPORT_OVERRIDE,
    _P.CLOSURE_WRITE,
    _P.ORDER_REVIEW,
    _P.ACCOUNT_SUSPEND,
    _P.ACCOUNT_TERMINATE,
    _P.ACCOUNT_ERASED,
    _P.REFUND_DECIDE,
    _P.REFUND_PAYOUT,
}
_INTEGRATION = (
    _READ
    | _SERVICE
    | {
        _P.CUSTOMER_WRITE,
        _P.ORDER_WRITE,
        _P.ORDER_REVIEW,
        _P.LICENSE_ISSUE,
        _P.LICENSE_RENEW,
        _P.SUBSCRIPTION_CHANGE,
        _P.LICENSE_SUSPEND,
        _P.LICENSE_REVOKE,
        _P.REFUND_PAYOUT,
        _P.BALANCE_SPEND,
    }
)

ROLES: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        Role.SUPERVISOR: _SUPERVISOR,
        Role.AGENT: _AGENT,
        Role.INTEGRATION: _INTEGRATION,
        Role.READ_ONLY: _READ | {_P.AUDIT_READ},
    }
)
"""What each role may do."""

SERVER_WIDE = frozenset(
    {
        _P.PRODUCT_WRITE,
        _P.RELEASE_WRITE,
        _P.CLOSURE_WRITE,
        _P.ACCOUNT_ERASED,
        _P.AUDIT_VERIFY,
        _P.REFUND_AS_PLATFORM,
        _P.API_KEY_READ,
        _P.API_KEY_WRITE,
    }
)
"""What only a caller without limits may do (sentence 4)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The customers and products that a caller sees; None: all of them."""

    customers: frozenset[UUID] | None = None
    products: frozenset[UUID] | None = None

    @property
    def unlimited(self) -> bool:
        """Tell whether nothing is hidden."""
        return self.customers is None and self.products is None

    def admits(self, *, customer: UUID, product: UUID) -> bool:
        """Tell whether something of this customer and this product is seen."""
        return self.admits_customer(customer) and self.admits_product(product)

    def admits_customer(self, customer: UUID) -> bool:
        """Tell whether this customer is within the limit."""
        return self.customers is None or customer in self.customers

    def admits_product(self, product: UUID) -> bool:
        """Tell whether this product is within the limit."""
        return self.products is None or product in self.products


EVERYTHING = Scope()
"""The scope of a caller without limits."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: `actor` stands in the audit log, `owner` names whose idempotency keys they are."""

    actor: str
    role: Role
    scope: Scope = EVERYTHING
    owner: str = ""

    def may(self, permission: Permission) -> bool:
        """Tell whether the caller may do this at all (sentences 1, 2 and 4)."""
        if permission in SERVER_WIDE and not self.scope.unlimited:
            return False
        return permission in ROLES[self.role]


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """Return the roles that have a permission, in the order of `Role`."""
    return tuple(role for role in Role if permission in ROLES[role])
