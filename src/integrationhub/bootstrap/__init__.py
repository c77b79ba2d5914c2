"""Where objects are wired: settings and catalogue in, a hub ready to work out. Nothing else creates services.

Everything is made, and what it needs imported, when it is first asked for: a command that only reads the store starts
without decoders, mappings and transports.
"""

from integrationhub.bootstrap.core import standalone_check, utc_now
from integrationhub.bootstrap.hub import Hub

__all__ = ["Hub", "standalone_check", "utc_now"]
