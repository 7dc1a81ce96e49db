"""What scenarios share: one shop per engine, whose server is started once for all the modules that leave it running."""

from tests.support.shop import shops

__all__ = ["shops"]
