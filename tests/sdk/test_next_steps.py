"""What a person is told where the server's own sentence is missing."""

from tillkey import Refused


def test_who_activates_a_license_of_an_order_that_is_checked_is_told_to_wait_though_the_answer_was_cut():
    assert "Wait until the vendor has looked at the order" in str(Refused("order_under_review"))
    assert "seen by the server" in str(Refused("order_under_review", detail="seen by the server"))
