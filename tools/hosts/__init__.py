"""A batch on hosts that share nothing but a bucket and a luigid: `python -m tools.hosts`, as the superuser.

::

    __main__ ──▶ scenes      what is done to the hosts, and what must hold afterwards
                   ├──▶ services    the store, luigid and the workers on their hosts
                   │      └──▶ network     hosts in network namespaces
                   ├──▶ batches     the demo's files and a larger batch of them, locally and in the bucket
                   └──▶ counting    a proxy before the store that notes every request
"""

__all__ = ["batches", "counting", "network", "scenes", "services"]
