"""Every name and label this program gives: Kubernetes objects (KubeFATE's names), logical names, server names."""

import re
from typing import Literal

from federation.base.scalars import PartyId

# Which of a Site Portal's, or an FML Manager's, two certificates.
Side = Literal["server", "client"]

# Part of the type of every component, so of URNs: it never changes.
COMPONENT_PACKAGE = "fate:federation:"
EXCHANGE = "exchange"
SERVING_EXCHANGE = "serving-exchange"
FML_MANAGER = "fml-manager"
PULSAR_ROUTES = "pulsar-route-table"
# Its second file: with which certificates Pulsar and the brokers that it dials know each other.
PULSAR_TRUST = "pulsar_trust.json"
NGINX_ROUTES = "nginx-route-table"
RABBITMQ_ROUTES = "rabbitmq-route-table"
ROLLSITE_ROUTES = "rollsite-route-table"
LBROLLSITE_ROUTES = "lbrollsite-route-table"
OSX_ROUTES = "osx-route-table"
EXCHANGE_ROUTES = "exchange-routes"
SERVING_ROUTES = "serving-route-table"
OWNER = "fate-owner"
# The ConfigMap that Kubernetes puts into every namespace.
ROOT_CA = "kube-root-ca.crt"
PULSAR_CERTIFICATE = "pulsar-cert"
# Its file with all CAs that are trusted: who dials this broker is checked against them.
ALL_AUTHORITIES = "ca.cert.pem"
# What cert-manager makes: the object that asks for it, and the Secret with certificate and key.
PULSAR_ISSUED = "pulsar-cert-issued"
PULL_SECRET = "fate-registry"  # noqa: S105 - the name of an object
CONSOLE_CERTIFICATE = "boards-tls"

# Says in a Secret, for each key, which entry of fate:secrets it holds: names, never values.
ENTRIES = "federation.fate/entries"

DATABASE_SCHEMA, DATABASE_PASSWORD, RABBITMQ_PASSWORD = "database-schema", "database-password", "rabbitmq-password"  # Jobs

# The pod label values of charts/*: what the Services below select.
FATEFLOW, NGINX, PULSAR, RABBITMQ, ROLLSITE, OSX = "fateflow", "nginx", "pulsar", "rabbitmq", "rollsite", "osx"
LBROLLSITE = "lbrollsite"
TRAFFIC_SERVER = "traffic-server"
SERVING_PROXY, SERVING_SERVER = "serving-proxy", "serving-server"
SERVING_REDIS, SERVING_ZOOKEEPER = "serving-redis", "serving-zookeeper"
FRONTEND, SITE_PORTAL_SERVER, FML_MANAGER_SERVER, POSTGRES = "frontend", "site-portal-server", "fml-manager-server", "postgres"

# The labels that select pods.
MODULE, INSTANCE = "app.kubernetes.io/name", "app.kubernetes.io/instance"
# The labels of every object, and that of every object of a party.
PART_OF, MANAGED_BY, PARTY_ID = "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by", "federation.fate/party-id"

# The Job of `fatefed doctor PEER --in-cluster`, and what its pod is called by its label.
DOCTOR = "fate-doctor"
# The policy that cuts off pods which no other one names.
DEFAULT_DENY = "default-deny"
FATEFLOW_SERVICE = "fateflow-client"
NGINX_SERVICE = "nginx"
NGINX_PUBLIC = "nginx-public"
PULSAR_PUBLIC = "pulsar-public-tls"
RABBITMQ_PUBLIC = "rabbitmq-public"
ROLLSITE_SERVICE = "rollsite"
ROLLSITE_PUBLIC = "rollsite-public"
LBROLLSITE_SERVICE = "exchange"
OSX_SERVICE = "osx"
OSX_PUBLIC = "osx-public"
TRAFFIC_SERVER_SERVICE = "traffic-server"
SERVING_PROXY_PUBLIC = "serving-proxy-public"
FRONTEND_PUBLIC = "frontend-public"
FML_MANAGER_PUBLIC = "fml-manager-server-public"

# Every name that an object of a chart may have (tests/charts checks the list): a stack's own objects have others.
CHART_OBJECTS = frozenset({
    "client", "clustermanager", "datanode", "datanode-env", "eggroll-config", "exchange", "fateboard", "fateboard-config", "fateflow",
    "fateflow-sparkdriver", "fml-manager-server", "frontend", "frontend-config", "lbrollsite", "lbrollsite-config", "mysql",
    "mysql-config", "namenode", "namenode-config",
    "namenode-env", "nginx", "nginx-config", "nodemanager", "notebook", "osx", "osx-config", "postgres", "pulsar", "pulsar-config",
    "python", "python-config", "rabbitmq", "rabbitmq-config", "rollsite", "rollsite-config", "serving-admin", "serving-admin-config",
    "serving-proxy", "serving-proxy-config", "serving-redis", "serving-redis-config", "serving-server", "serving-server-config",
    "serving-zookeeper", "serving-zookeeper-config", "site-portal-server", "spark", "spark-client", "spark-master", "spark-worker",
    "spark-worker-1", "spark-worker-config", "traffic-server", "traffic-server-config",
})  # fmt: skip
# Annotations of the Secret with a unit's certificate: its last day, and the authorities beside it.
CERTIFICATE_UNTIL = "federation.fate/certificate-until"
TRUSTS = "federation.fate/trusts"


def party_key(party: PartyId) -> str:
    """The key of a party in outputs, logical names and default secret names: `party-9999`."""
    return f"party-{party}"


def serving_key(party: PartyId) -> str:
    """The key of a party's FATE-Serving: `serving-9999`."""
    return f"serving-{party}"


def site_portal_key(party: PartyId) -> str:
    """The key of a party's Site Portal: `site-portal-9999`."""
    return f"site-portal-{party}"


def inside(service: str, namespace: str) -> str:
    """The name of a Service for other namespaces of its cluster, whatever the cluster's domain is."""
    return f"{service}.{namespace}.svc"


def server_name(party: PartyId, domain: str) -> str:
    """The TLS server name of a party's Pulsar: what peers dial, the SNI route matches and the certificate holds."""
    return f"{party}.{domain}"


def authority_file(party: PartyId) -> str:
    """The file of the Secret with the CA of one party: what its broker is checked against when it is dialled."""
    return f"ca-{party}.cert.pem"


def proxy_name(domain: str) -> str:
    """The name in the certificate of a federation's Traffic Server (FedLCM's convention)."""
    return f"proxy.{domain}"


def site_portal_name(party: PartyId, side: Side, domain: str) -> str:
    """The name in a certificate of a party's Site Portal (FedLCM's convention)."""
    return f"site-{party}.{side}.{domain}"


def fml_manager_name(side: Side, domain: str) -> str:
    """The name in a certificate of an FML Manager (FedLCM's convention)."""
    return f"fmlmanager.{side}.{domain}"


def kebab_case(name: str) -> str:
    """The camelCase name of a module or a slot as Kubernetes takes it: `spark-master`, a module's pods, for sparkMaster."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def selector(module: str, instance: str) -> dict[str, str]:
    """The labels that select a module's pods; they never hold a version, because selectors cannot change."""
    return {MODULE: module, INSTANCE: instance}


def common_labels(federation: str, party: PartyId | None) -> dict[str, str]:
    """The labels of every object of a party or an exchange."""
    own = {} if party is None else {PARTY_ID: party}
    return {PART_OF: "fate", MANAGED_BY: "pulumi", "federation.fate/name": federation} | own
