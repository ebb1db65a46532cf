from tests.audit.roles import roles

__all__ = ["roles"]
