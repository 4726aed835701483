"""Keeps what Pulsar remembers of other parties equal to the route table.

FATE-Flow tells its broker once where a party's Pulsar is: it makes a cluster named by the party's id, and never changes or deletes it.
So a party that left the route table stays reachable, and one that moved is sought at its old address. This script runs beside the
broker and compares, again and again, its clusters with the route table that FATE-Flow reads:

* no route, or one that leads nowhere: the cluster is deleted, which ends its connections at once; namespaces and the tenant forget it,
  and with it what waits for it;
* another address: deleted and made again, because the broker keeps the connection of a cluster that is only changed; the namespaces that
  use it are unloaded, so that what waits for it goes to the new address.

It also tells the broker by which CA it knows a party's broker, and to show its own certificate there, which FATE-Flow cannot: a cluster
as FATE-Flow makes it has the broker check certificates against its own party's CA, so that it refuses every other party's. A party whose
CA is trusted has its cluster made before FATE-Flow needs it, with the file of that CA; what anybody made otherwise is made again.

Clusters that are not named by a party's id, and the broker's own, are left alone. Files that cannot be read change nothing.

Usage: pulsar-clusters.py HOST:PORT OWN_CLUSTER OWN_PARTY TENANT ROUTE_TABLE TRUST
HOST:PORT: the broker's admin API. TRUST: JSON, `trusted`: ids of parties, `shown`: whether the broker shows its certificate.
Environment: INTERVAL, seconds between two looks (10). /tmp/alive changes with each look.

Python 3.8, which Pulsar's image has; the standard library only.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from urllib.parse import quote

ALIVE = Path(os.environ.get("ALIVE", "/tmp/alive"))  # noqa: S108 - of the container alone
INTERVAL = float(os.environ.get("INTERVAL", "10"))
# Between two comparisons of clusters that were right: somebody may have changed one by hand.
AGAIN = 60.0
PATIENCE = 30.0
PARTY = re.compile(r"[1-9][0-9]*\Z")
# What FATE-Flow says of a cluster.
FIELDS = ("brokerServiceUrl", "brokerServiceUrlTls", "proxyServiceUrl")
# How a cluster knows the other broker, as FATE-Flow leaves it: by what the broker itself trusts.
IDENTITY = {
    "brokerClientTlsEnabled": False,
    "brokerClientTrustCertsFilePath": "",
    "authenticationPlugin": "",
    "authenticationParameters": "",
}
# Of the broker, which has them mounted; this container has not.
CERTIFICATES = os.environ.get("CERTIFICATES", "/opt/pulsar/certs")
# Where the route table leads a party that must not be reached, although there is a default.
NOWHERE = "127.0.0.1", "1"


def say(text: str) -> None:
    """A line of the log."""
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), f"pulsar-clusters.py: {text}", flush=True)


class Refused(Exception):
    """An answer of the admin API that is no success."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Broker:
    """The admin API."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, method: str, path: str, body: object = None) -> object:
        """The answer. Refused or OSError."""
        ALIVE.touch()
        host, _, port = self.address.rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, "/admin/v2/" + quote(path), sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            if answer.status >= 300:
                raise Refused(answer.status, f"{method} {path}: HTTP {answer.status} {text[:200]}")
            return json.loads(text) if text else None
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error!r}") from None
        finally:
            connection.close()

    def forgets(self, method: str, path: str, body: object = None, ignore: tuple = (404,)) -> None:
        """A change that may have happened already."""
        try:
            self.ask(method, path, body)
        except Refused as refused:
            if refused.status not in ignore:
                raise


def read_table(text: str, own: str) -> dict[str, dict[str, str]]:
    """The route table: {party id or `default`: its fields}. ValueError for anything but the text that the program writes."""
    table: dict[str, dict[str, str]] = {}
    entry: dict[str, str] | None = None
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if not colon or (line.startswith(" ") and entry is None) or (not line.startswith(" ") and value.strip()):
            raise ValueError(f"the route table has a line that is not understood: {line[:80]!r}")
        if line.startswith(" "):
            entry[key.strip()] = value.strip().strip('"')
        else:
            entry = table.setdefault(key, {})
    if own not in table:
        raise ValueError(f"the route table has no entry of party {own}")
    return table


def ways(table: dict[str, dict[str, str]], party: str) -> list[tuple[str, str, str]]:
    """The clusters that FATE-Flow may make of a party, values of FIELDS: by its own entry, and by the default. None: it must have none."""
    found = []
    if party in table:
        entry = table[party]
        if (entry["host"], entry["port"]) == NOWHERE:
            return []
        found.append((entry["host"], entry["port"], entry["sslPort"], entry["proxy"]))
    if "default" in table:
        entry = table["default"]
        found.append((f"{party}.{entry['domain']}", entry["brokerPort"], entry["brokerSslPort"], entry["proxy"]))
    return [
        (f"pulsar://{host}:{port}", f"pulsar+ssl://{host}:{tls}", f"pulsar+ssl://{proxy}" if proxy else "")
        for host, port, tls, proxy in found
    ]


def read_trust(text: str) -> tuple[set[str], bool]:
    """The parties whose CA is trusted, and whether the broker shows its certificate. ValueError, KeyError, TypeError for anything else."""
    said = json.loads(text)
    trusted, shown = said["trusted"], said["shown"]
    if not all(PARTY.match(party) for party in trusted) or not isinstance(shown, bool):
        raise ValueError(f"{said!r} is not understood")
    return set(trusted), shown


class Keeper:
    """What is compared, and what is known to be right."""

    def __init__(self, broker: Broker, cluster: str, party: str, tenant: str) -> None:
        self.broker, self.cluster, self.party, self.tenant = broker, cluster, party, tenant
        self.trusted: set[str] = set()
        self.shown = False
        # Of each cluster that was right: the ways it was compared with, and when.
        self.right: dict[str, tuple[object, float]] = {}
        # Clusters without the right identity, seen once.
        self.young: set[str] = set()
        # Whether namespaces may still name a cluster that is gone: at the start, and after a look that did not come to its end.
        self.unfinished = True

    def look(self, table: dict[str, dict[str, str]], trusted: set[str], shown: bool) -> None:
        """Compare once, and correct. Refused or OSError when the broker does not answer as it should; the next look goes on."""
        self.trusted, self.shown = trusted, shown
        listed = {name for name in self.broker.ask("GET", "clusters") if self.is_peer(name)}
        self.right = {name: found for name, found in self.right.items() if name in listed}
        self.young &= listed
        stale = {name for name in listed if not ways(table, name)}
        moved = {name for name in listed - stale if not self.is_right(name, ways(table, name))}
        missing = {name for name in trusted - listed if self.is_peer(name) and ways(table, name)}
        if not stale and not moved and not missing and not self.unfinished:
            return
        self.unfinished = True
        # Before a task needs them: one that is made again in its middle has the job's namespace unloaded.
        for name in sorted(missing):
            self.make(name, ways(table, name)[0])
        for name in sorted(stale):
            self.broker.forgets("DELETE", f"clusters/{name}")
            say(f"party {name} has no route any more: its cluster is deleted")
        for name in sorted(moved):
            self.move(name, ways(table, name)[0])
        self.tidy((listed | missing) - stale, moved | missing, table)
        self.unfinished = False

    def is_peer(self, name: str) -> bool:
        """Whether FATE-Flow makes clusters of this name."""
        return bool(PARTY.match(name)) and name not in (self.cluster, self.party)

    def is_right(self, name: str, wanted: list[tuple[str, str, str]]) -> bool:
        """Whether a cluster leads where FATE-Flow would have it today, and knows the party's broker by its CA."""
        identity = self.identity(name)
        known, when = self.right.get(name, (None, 0.0))
        if known == (wanted, identity) and time.monotonic() - when < AGAIN:
            return True
        try:
            found = self.broker.ask("GET", f"clusters/{name}")
        except Refused as refused:
            if refused.status == 404:
                return True
            raise
        if tuple(found.get(field) or "" for field in FIELDS) not in wanted:
            return False
        if {field: found.get(field) or nothing for field, nothing in IDENTITY.items()} != identity:
            # FATE-Flow may have made it this moment, and needs it for its next calls; nothing leaves by it. The next look corrects it.
            self.young ^= {name}
            return name in self.young
        self.young.discard(name)
        self.right[name] = ((wanted, identity), time.monotonic())
        return True

    def identity(self, name: str) -> dict[str, object]:
        """By which CA the broker knows a party's broker, and what it shows there. Without a file of this name no connection is made."""
        found = dict(IDENTITY)
        if name not in self.trusted:
            return found
        found.update(brokerClientTlsEnabled=True, brokerClientTrustCertsFilePath=f"{CERTIFICATES}/ca-{name}.cert.pem")
        if self.shown:
            files = f"tlsCertFile:{CERTIFICATES}/broker.cert.pem,tlsKeyFile:{CERTIFICATES}/broker.key-pk8.pem"
            found.update(authenticationPlugin="org.apache.pulsar.client.impl.auth.AuthenticationTls", authenticationParameters=files)
        return found

    def move(self, name: str, way: tuple[str, str, str]) -> None:
        """Make a cluster again."""
        self.broker.forgets("DELETE", f"clusters/{name}")
        self.make(name, way)

    def make(self, name: str, way: tuple[str, str, str]) -> None:
        """Make a cluster."""
        urls = {field: way[number] for number, field in enumerate(FIELDS)}
        entry = {"serviceUrl": "", "serviceUrlTls": "", "peerClusterNames": [], "proxyProtocol": "SNI", **urls, **self.identity(name)}
        # 409: FATE-Flow was faster.
        self.broker.forgets("PUT", f"clusters/{name}", entry, ignore=(409,))
        known = "its own CA" if name in self.trusted else "no CA, so that it is refused, unless one CA signs for all parties"
        say(f"the cluster of party {name} leads to {way[1]}{' by ' + way[2] if way[2] else ''} now, and knows its broker by {known}")

    def tidy(self, listed: set[str], moved: set[str], table: dict[str, dict[str, str]]) -> None:
        """Let namespaces and the tenant forget clusters that are gone, and start again what waits for those that moved."""
        tenant = f"tenants/{self.tenant}"
        try:
            info, namespaces = self.broker.ask("GET", tenant), self.broker.ask("GET", f"namespaces/{self.tenant}")
        except Refused as refused:
            if refused.status == 404:  # no task ran yet
                return
            raise
        problems = []
        for namespace in namespaces:
            try:
                self.tidy_namespace(namespace, listed, moved, table)
            except Refused as refused:
                problems.append(str(refused))
        allowed = info.get("allowedClusters") or []
        kept = [name for name in allowed if not self.is_peer(name) or name in listed]
        if kept != allowed:
            self.broker.ask("POST", tenant, {"adminRoles": info.get("adminRoles") or [], "allowedClusters": kept})
        if problems:
            raise Refused(0, f"{len(problems)} namespaces, such as {problems[0]}")

    def tidy_namespace(self, namespace: str, listed: set[str], moved: set[str], table: dict[str, dict[str, str]]) -> None:
        """One job's namespace."""
        path = f"namespaces/{namespace}/replication"
        try:
            named = self.broker.ask("GET", path)
        except Refused as refused:
            if refused.status == 404:  # the job has ended
                return
            raise
        # Deleted by hand, or by a look that was interrupted.
        for name in [name for name in named if self.is_peer(name) and name not in listed and ways(table, name)]:
            self.move(name, ways(table, name)[0])
            listed.add(name)
            moved.add(name)
        kept = [name for name in named if not self.is_peer(name) or name in listed]
        if kept != named:
            self.broker.forgets("POST", path, kept)
            say(f"namespace {namespace} forgets {', '.join(sorted(set(named) - set(kept)))}")
        if moved & set(kept):
            self.broker.forgets("PUT", f"namespaces/{namespace}/unload")
            say(f"namespace {namespace} is unloaded, for {', '.join(sorted(moved & set(kept)))}")


def main(address: str, cluster: str, party: str, tenant: str, routes: str, trust: str) -> None:
    """Look for ever."""
    # The first process of a container gets no signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    keeper, said = Keeper(Broker(address), cluster, party, tenant), ""
    while True:
        ALIVE.touch()
        try:
            keeper.look(read_table(Path(routes).read_text("utf-8"), party), *read_trust(Path(trust).read_text("utf-8")))
            problem = ""
        except (OSError, ValueError, KeyError, TypeError, Refused) as error:
            problem = f"{type(error).__name__}: {error}"
        if problem != said:
            say(problem or "all is well again")
            said = problem
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main(*sys.argv[1:])
