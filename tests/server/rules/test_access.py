"""Roles, permissions and limits."""

import pytest

from tillkey_server.ids import new_id
from tillkey_server.rules.access import ROLES, SERVER_WIDE, Permission, Principal, Role, Scope, roles_with

ONE, OTHER = new_id(), new_id()


def test_an_admin_may_do_everything_and_nobody_else_may():
    assert ROLES[Role.ADMIN] == set(Permission)
    assert [role for role in Role if ROLES[role] == set(Permission)] == [Role.ADMIN]


def test_a_reader_changes_nothing():
    assert {permission.value.rpartition(".")[2] for permission in ROLES[Role.READ_ONLY]} == {"read"}


def test_an_agent_may_free_a_license_and_not_pass_its_limit():
    assert Permission.ACTIVATION_FORCE in ROLES[Role.AGENT]
    assert not ROLES[Role.AGENT] & {Permission.FORCE_OVERRIDE, Permission.ACTIVATION_RELEASE}


def test_a_supervisor_may_all_that_an_agent_may():
    assert ROLES[Role.AGENT] < ROLES[Role.SUPERVISOR]


def test_an_integration_sells_and_takes_back_and_frees_nothing():
    assert {Permission.ORDER_WRITE, Permission.LICENSE_ISSUE, Permission.LICENSE_REVOKE} <= ROLES[Role.INTEGRATION]
    assert not ROLES[Role.INTEGRATION] & {Permission.ACTIVATION_FORCE, Permission.LICENSE_REKEY}


@pytest.mark.clause("BC-28")
def test_nobody_who_decides_refunds_for_a_vendor_speaks_for_the_marketplace():
    """Sentence 4: nor does the admin of one seller."""
    assert roles_with(Permission.REFUND_AS_PLATFORM) == (Role.ADMIN,)
    assert set(roles_with(Permission.REFUND_DECIDE)) > {Role.ADMIN}
    assert Principal("a", Role.ADMIN).may(Permission.REFUND_AS_PLATFORM)
    of_a_seller = Principal("a", Role.ADMIN, Scope(products=frozenset({ONE})))
    assert (of_a_seller.may(Permission.REFUND_DECIDE), of_a_seller.may(Permission.REFUND_AS_PLATFORM)) == (True, False)


@pytest.mark.parametrize("permission", sorted(SERVER_WIDE))
def test_what_concerns_the_whole_server_needs_a_caller_without_limits(permission):
    assert Principal("a", Role.ADMIN).may(permission)
    assert not Principal("a", Role.ADMIN, Scope(products=frozenset({ONE}))).may(permission)
    assert not Principal("a", Role.ADMIN, Scope(customers=frozenset({ONE}))).may(permission)


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(), True),
        (Scope(customers=frozenset({ONE})), True),
        (Scope(customers=frozenset({OTHER})), False),
        (Scope(products=frozenset({OTHER})), True),
        (Scope(products=frozenset({ONE})), False),
        (Scope(frozenset({ONE}), frozenset({OTHER})), True),
        (Scope(frozenset({ONE}), frozenset({ONE})), False),
        (Scope(customers=frozenset()), False),
    ],
)
def test_a_scope_admits_what_is_within_both_of_its_limits(scope, seen):
    assert scope.admits(customer=ONE, product=OTHER) is seen


def test_the_roles_with_a_permission_are_told_in_order():
    assert roles_with(Permission.FORCE_OVERRIDE) == (Role.ADMIN, Role.SUPERVISOR)
