"""The plan of an exchange: Traffic Server for Pulsar's TLS, nginx for FATE-Flow's control plane."""

from typing import Any

from federation import naming
from federation.manifests import Manifest, config_map, namespace, published_service
from federation.modules import module_values
from federation.neighbours import exchange_ports, party_nginx_target, party_pulsar_address, peer_nginx_targets
from federation.peers import Peers
from federation.publishing import dialled, outside
from federation.releases import catalogue
from federation.routes import nginx_route_table, records_config, sni
from federation.scalars import is_ip
from federation.spec import ExchangeSpec, StackSpec
from federation.unit import ChartPlan, UnitPlan, module_summary, pull_secret, pull_secret_names
from federation.values import ExchangeModules, ExchangePorts, ExchangeValues


def plan_exchange(spec: StackSpec, own: ExchangeSpec, peers: Peers) -> UnitPlan:
    """What is made for the exchange of this stack."""
    release = catalogue()[own.release]
    labels = naming.common_labels(spec.federation.name, None)
    place = (own.namespace, labels)
    modules = ExchangeModules(
        traffic_server=module_values(release.exchange["trafficServer"], own.modules.traffic_server, spec.images),
        nginx=module_values(release.exchange["nginx"], own.modules.nginx, spec.images),
    )
    values = ExchangeValues(
        instance=naming.EXCHANGE,
        labels=labels,
        image_pull_policy=spec.images.pull_policy,
        image_pull_secrets=pull_secret_names(spec),
        release=own.release,
        domain=spec.federation.domain,
        ports=ExchangePorts.model_validate({name: release.ports[name] for name in ExchangePorts.model_json_schema()["properties"]}),
        modules=modules,
        routes=naming.EXCHANGE_ROUTES,
    )
    return UnitPlan(
        key=naming.EXCHANGE,
        kind="exchange",
        namespace=own.namespace,
        release=own.release,
        namespace_object=(namespace(*place),) if spec.cluster.makes_namespaces else (),
        services=_services(spec, own),
        secrets=pull_secret(spec, own.namespace, labels),
        routes=(config_map("routes", naming.EXCHANGE_ROUTES, *place, _routes(spec, own, peers)),),
        chart=ChartPlan("fate-exchange", own.namespace, values),
        descriptor=_descriptor(spec, own),
        modules=module_summary(modules.plain()),
        access={},
        tls=None,
        data={"namespace": own.namespace},
        allow_data_loss=True,  # an exchange has no data
    )


def _routes(spec: StackSpec, own: ExchangeSpec, peers: Peers) -> dict[str, str]:
    nginx = {peer.party_id or "": {"fateflow": peer_nginx_targets(peer)} for peer in peers.parties()}
    nginx |= {party: {"fateflow": (party_nginx_target(local),)} for party, local in spec.parties.items()}
    pulsars = {party: party_pulsar_address(local) for party, local in spec.parties.items()}
    for peer in peers.parties():
        if peer.routed and peer.party_id is not None:
            endpoint = peer.descriptor.endpoints["pulsar"]
            pulsars[peer.party_id] = (endpoint.host, endpoint.ports["tls"])
    tunnels = {naming.server_name(party, spec.federation.domain): f"{_in_brackets(host)}:{port}" for party, (host, port) in pulsars.items()}
    return {
        "sni.yaml": sni(tunnels),
        "records.config": records_config(catalogue()[own.release].ports["trafficServer"], (port for _, port in pulsars.values())),
        "route_table.yaml": nginx_route_table(nginx),
    }


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host and is_ip(host) else host


def _services(spec: StackSpec, own: ExchangeSpec) -> tuple[Manifest, ...]:
    ports = exchange_ports(own)
    place = (own.namespace, naming.common_labels(spec.federation.name, None))
    return (
        published_service(naming.NGINX_SERVICE, naming.NGINX, naming.EXCHANGE, *place, [ports["http"], ports["grpc"]], own.publish.nginx),
        published_service(
            naming.TRAFFIC_SERVER_SERVICE, naming.TRAFFIC_SERVER, naming.EXCHANGE, *place, [ports["tls"]], own.publish.traffic_server
        ),
    )


def _descriptor(spec: StackSpec, own: ExchangeSpec) -> dict[str, Any]:
    ports, federation = exchange_ports(own), spec.federation
    nginx = outside(own.publish.nginx, own.namespace, naming.NGINX_SERVICE, {name: dialled(ports[name]) for name in ("http", "grpc")})
    tunnel = outside(own.publish.traffic_server, own.namespace, naming.TRAFFIC_SERVER_SERVICE, {"tls": dialled(ports["tls"])})
    return {
        "schemaVersion": 1,
        "kind": "exchange",
        "federation": {"name": federation.name, "domain": federation.domain},
        "organization": spec.organization,
        "release": own.release,
        "endpoints": {"trafficServer": tunnel.endpoint(naming.proxy_name(federation.domain)), "nginx": nginx.endpoint(None)},
    }
