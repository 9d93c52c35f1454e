"""Limits by address, by person and by name, in memory: the desk is one process."""

from __future__ import annotations

import ipaddress


def address_group(host: str) -> str:
    """
    Return the address that connections and tries of *host* are counted under: of IPv6 the network of one customer.

    >>> address_group("10.0.0.7"), address_group("2001:db8::1:2:3"), address_group("::ffff:10.0.0.7")
    ('10.0.0.7', '2001:db8::/64', '10.0.0.7')
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
