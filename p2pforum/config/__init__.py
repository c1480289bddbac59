"""Where files lie on this machine, and what the user configured. Standard library only, but
for invites, which are CBOR.

checks.py    what may be in the config file
invites.py   the invites that the user accepted
paths.py     directories and files
proxy.py     the proxy, and what would go past it
settings.py  the config file, read and checked
template.py  the config file that `init` writes

Not a registry of every constant: bounds are in core/limits.py, and what a network agrees on is in
core/network_params.py.
"""

from p2pforum.config.checks import AUTO, check_listen, check_peers
from p2pforum.config.paths import Paths, find_paths
from p2pforum.config.proxy import Proxy, check_proxy
from p2pforum.config.settings import Config, check_reach, load_config
from p2pforum.config.template import config_template

__all__ = [
    "AUTO",
    "Config",
    "Paths",
    "Proxy",
    "check_listen",
    "check_peers",
    "check_proxy",
    "check_reach",
    "config_template",
    "find_paths",
    "load_config",
]
