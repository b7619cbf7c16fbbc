"""Which proxy, if any, stands between here and a host: what the environment says."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from nanorecipes.errors import ConfigurationError
from nanorecipes.service import guard


def proxy_for(scheme: str, host: str) -> str | None:
    """The proxy's URL by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; never one for this machine.

    Raises:
        ConfigurationError: the proxy is of a kind that isn't supported.
    """
    if guard.is_loopback_host(host):
        return None
    proxies = getproxies_environment()
    proxy = proxies.get(scheme)
    if not proxy or proxy_bypass(host):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise ConfigurationError(
            f"the proxy for {scheme} is of the kind {urlsplit(proxy).scheme!r}; "
            "only http and https proxies are supported",
            help=f"set {scheme.upper()}_PROXY to such a one, or name {host} in NO_PROXY",
        )
    return proxy
