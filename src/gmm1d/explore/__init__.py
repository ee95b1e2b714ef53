"""The interactive page: data in, mixtures out, on this machine only; all arithmetic is the library's.

A Starlette application with a small front end of our own: full control of the token, of the loopback address,
of the Content-Security-Policy and of what is loaded. From the ground up: `serving` knows addresses, `routes`
what is asked and answered (the protocol stands there), `scripts` what the browser runs, `downloads` files, `answers`
facts as JSON, `fits` searches and climbs, `loading` data, `store` what is kept of them.
"""

from gmm1d.explore.routes import application
from gmm1d.explore.serving import serve

__all__ = ["application", "serve"]
