"""A database URL that cannot be read is refused without a word of its password."""

import pytest

from tillkey_server.errors import ConfigError
from tillkey_server.store.engines import parse_url


@pytest.mark.clause("I16")
@pytest.mark.parametrize("url", ["postgresql://u:p@ss:geheim/rd@host/x", "postgresql://u:geheim@host:port/x"])
def test_no_fragment_of_the_password_is_told(url):
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None
