"""What a row alone cannot say: keys that are read together. Each part puts its share of the stack file into the draft."""

from collections.abc import Callable, Mapping
from typing import Any

from cli.convert.claims import claims, count_node_managers
from cli.convert.clusters import FML_MANAGER, SITE_PORTAL, Cluster, ClusterKind
from cli.convert.draft import Draft
from cli.convert.parts.boards import boards, no_boards
from cli.convert.parts.engines import engines
from cli.convert.parts.links import exchange_links, party_links, published, serving_exchange_links, serving_links
from cli.convert.parts.serving import redis, server, servings
from cli.convert.rows.engines import ENGINES
from cli.convert.rows.table import MODULES, PORTAL_NOTES
from cli.convert.source import Path_, plain
from federation.base.quantity import amount
from federation.catalogue.releases import ModuleRow, catalogue
from federation.catalogue.serving import serving_catalogue

_DOMAIN = "fate.org"  # KubeFATE's own default
# Where else it stands than in the server names of an exchange.
_DOMAINS = {"party": (("pulsar", "exchange", "domain"), ("pulsar", "route_table", "default", "domain"))}


def head(cluster: Cluster, draft: Draft) -> None:
    """Who, in which federation, as which unit and release."""
    organization = cluster.choices.organization or cluster.name
    named = "" if cluster.choices.organization else "the cluster's name: --organization names another"
    draft.put(("organization",), organization, ("name",), named)
    draft.put(("federation", "name"), cluster.choices.federation, None, "KubeFATE has none: in the same words at every member")
    draft.put(("federation", "domain"), *_domain(cluster))
    draft.put(("federation", "link"), "native", None, "FATE's own proxies, as in clusters run with KubeFATE")
    draft.put(cluster.at("namespace"), cluster.namespace, ("namespace",), "exists already: it is taken over")
    draft.put(cluster.at("release"), cluster.release, ("chartVersion",), cluster.release_note)
    if cluster.release_note:
        what = "FATE-Serving" if cluster.chart == "fate-serving" else "FATE"
        draft.warn(f"chart {cluster.chart} v{cluster.version} becomes {what} {cluster.release}: {cluster.release_note}")
    for engine, word in cluster.engines.items():
        origin = next((key for key in (engine, "backend", "modules") if cluster.file.get(key) is not None), None)
        note = cluster.engine_notes.get(engine, "")
        draft.put(cluster.at(engine), word, None if origin is None else (origin,), note or ("" if origin else "KubeFATE's default"))
        if note:
            draft.warn(f"{engine} {note}: {word} here")
    draft.ask("name the cluster: fate:cluster.context, as in `kubectl config get-contexts`; without it the kubeconfig's current context")


def _domain(cluster: Cluster) -> tuple[str, Path_ | None, str]:
    """The federation's domain, where it stands, and what is to be said of it."""
    if cluster.choices.domain is not None:
        return cluster.choices.domain, None, "--domain"
    for path in _DOMAINS.get(cluster.kind, ()):
        if written := cluster.file.get(*path):
            return str(written), path, ""
    for number, item in enumerate(_list(cluster.file.get("trafficServer", "route_table", "sni"))):
        _, _, domain = str(plain(item).get("fqdn", "")).partition(".")
        if domain:
            return domain, ("trafficServer", "route_table", "sni", str(number), "fqdn"), ""
    return _DOMAIN, None, "KubeFATE's default: --domain names another; in the same words at every member"


def modules(cluster: Cluster, draft: Draft) -> None:
    """Optional modules are named; what the engines do not use is not deployed."""
    listed = _list(cluster.file.get("modules"))
    for number, word in enumerate(listed):
        origin = ("modules", str(number))
        if word in (*SITE_PORTAL, *FML_MANAGER):
            draft.lose(origin, PORTAL_NOTES[cluster.kind])
        elif word in cluster.unneeded:
            draft.lose(origin, f"{cluster.combination} does not use it")
        elif word in ("fateboard", "client", "servingZookeeper", "servingAdmin"):
            draft.put(cluster.at(f"modules.{word}"), {}, origin)


def persistence(cluster: Cluster, draft: Draft) -> None:
    """Whether data is kept."""
    value: Any = {} if cluster.persistent else "none"
    note = "claims" if cluster.persistent else "data is lost with the pod"
    draft.put(cluster.at("persistence"), value, ("persistence",), note)


def mysql_users(cluster: Cluster, draft: Draft) -> None:
    """The kept data holds the accounts that may sign in."""
    if cluster.persistent:
        draft.ask("MySQL keeps its users in its data: give the old password; root has none there: set it to the value of the new entry")


def own_builds(cluster: Cluster, draft: Draft) -> None:
    """Images that the operator built, and the algorithm that they were built for."""
    tag = cluster.file.get("imageTag")
    if tag and str(tag) not in (f"{cluster.version}-release", str(cluster.version)):
        draft.lose(
            ("imageTag",),
            f"images of your own: build them again from {cluster.release}, and name each at modules.<module>.image",
        )
    if cluster.file.get("python", "enabledNN") is True and ("python", "enabledNN") not in draft.not_used:
        draft.put(cluster.at("algorithm"), "NN", ("python", "enabledNN"))
    draft.read.add(("python", "enabledNN"))


def added(cluster: Cluster, draft: Draft) -> None:
    """Modules that the engines cannot be without, and that the file does not list: they are deployed here."""
    existing = {engine.name for engine in ENGINES} | ({"mysql"} if cluster.file.get("externalMysqlIp") else set())
    optional = {"fateboard", "client", "lbrollsite", "osx", "rollsite"}
    if names := sorted(cluster.needed - cluster.modules - existing - optional):
        draft.warn(f"{', '.join(names)}: not in modules, and {cluster.combination} needs it: it is deployed here")


def images(cluster: Cluster, draft: Draft) -> None:
    """Registry and pull secret."""
    registry = cluster.file.get("registry")
    if registry:
        draft.put(("images", "registry"), _registry(cluster, draft, str(registry)), ("registry",))
    for number, item in enumerate(_list(cluster.file.get("imagePullSecrets"))):
        origin = ("imagePullSecrets", str(number), "name")
        name = plain(item).get("name")
        if number:
            draft.lose(origin, "one pull secret serves all images here")
        elif name:
            draft.put(("images", "pullSecret", "kubernetesSecret"), name, origin)


def device(cluster: Cluster, draft: Draft) -> None:
    """The device that the images are built for."""
    word = cluster.file.get("device")
    if word:
        draft.put(cluster.at("device"), word, ("device",))
    elif cluster.file.get("algorithm"):
        draft.warn("no device is named: CPU here, while the chart's own default is IPCL; write device: IPCL if its images were used")


def _registry(cluster: Cluster, draft: Draft, registry: str) -> str:
    if cluster.version.major < 2 or cluster.chart == "fate-serving":
        return registry.rstrip("/")
    if not registry.endswith("/"):
        draft.warn(f"charts 2.0 write `registry` without a slash before the image's name; {registry!r} was read as {registry + '/'!r}")
    # Charts 2.0 keep the image's own path, this program its last part only.
    if cluster.deploys("mysql"):
        draft.put(cluster.at("modules.mysql.image.repository"), f"{registry.rstrip('/')}/mysql", ("registry",), "charts 2.0 keep it apart")
    return f"{registry.rstrip('/')}/federatedai"


def resources(cluster: Cluster, draft: Draft) -> None:
    """Requests and limits: what a file does not say is the release's, and no limit is below its request."""
    for word, place, kinds in MODULES:
        row = release_row(cluster, place)
        if cluster.kind not in kinds or row is None or not cluster.deploys(word):
            continue
        at = cluster.at(f"{place}.resources")
        amounts = _amounts(cluster, tuple(word.split(".")))
        if not amounts:
            continue
        for (part, name), (value, origin) in amounts.items():
            draft.put((*at, part, name), str(value), origin)
        if any(draft.below(at)):
            _complete(draft, at, row)


def _amounts(cluster: Cluster, word: Path_) -> dict[tuple[str, str], tuple[Any, Path_]]:
    """Amounts by part and name, each with its key."""
    amounts: dict[tuple[str, str], tuple[Any, Path_]] = {}
    if word[0] == "spark":
        for name in ("cpu", "memory"):
            value = cluster.file.get(*word, name)
            if value not in (None, "") and cluster.version.major < 2 and cluster.version.minor < 9:
                amounts["requests", name] = (value, (*word, name))
    for part in ("requests", "limits"):
        for name, value in plain(cluster.file.get(*word, "resources", part)).items():
            if value is not None:
                amounts[part, name] = (value, (*word, "resources", part, name))
    return amounts


def _complete(draft: Draft, at: Path_, row: ModuleRow) -> None:
    release = row.resources.plain()
    for part in ("requests", "limits"):
        for name, size in release.get(part, {}).items():
            if (*at, part, name) not in draft.puts:
                draft.put((*at, part, name), size, None, "the release's")
    for name in ("cpu", "memory"):
        wanted, limit = draft.puts.get((*at, "requests", name)), draft.puts.get((*at, "limits", name))
        if wanted is None or limit is None:
            continue
        try:
            small = amount(str(limit.value)) < amount(str(wanted.value))
        except ValueError:
            continue  # not an amount: the models say so
        if small and limit.origin is None:
            draft.put((*at, "limits", name), wanted.value, None, "not below what is asked for")
        elif small and wanted.origin is None:
            draft.put((*at, "requests", name), limit.value, None, "not above the limit")


# The modules of a release, by kind of cluster.
_ROWS: Mapping[ClusterKind, Callable[[str], Mapping[str, ModuleRow]]] = {
    "party": lambda release: catalogue()[release].modules,
    "exchange": lambda release: catalogue()[release].exchange,
    "serving": lambda release: serving_catalogue()[release].modules,
    "servingExchange": lambda release: serving_catalogue()[release].modules,
}


def release_row(cluster: Cluster, place: str) -> ModuleRow | None:
    """The row of the catalogue for a module's place such as modules.spark.master."""
    at = cluster.at(place)
    parts = at[at.index("modules") + 1 :]
    name = parts[0] + parts[1].title() if parts[0] == "spark" else parts[-1]
    return _ROWS[cluster.kind](cluster.release).get(name)


def image_overrides(cluster: Cluster, draft: Draft) -> None:
    """Images of single modules: `image` and `imageTag` of charts 2.0, `Image` and `ImageTag` of Spark before."""
    for word, place, kinds in MODULES:
        path, row = tuple(word.split(".")), release_row(cluster, place)
        if cluster.kind not in kinds or row is None or not cluster.deploys(word):
            continue
        old = cluster.version.major < 2
        image_key, tag_key = ("Image", "ImageTag") if old else ("image", "imageTag")
        image, tag = cluster.file.get(*path, image_key), cluster.file.get(*path, tag_key)
        if image and str(image).removeprefix("federatedai/") != row.image.removeprefix("federatedai/"):
            prefix = "" if old else str(cluster.file.get("registry") or "")
            draft.put(cluster.at(f"{place}.image.repository"), f"{prefix}{image}", (*path, image_key))
        draft.read |= {(*path, image_key), (*path, tag_key)}
        # The chart's own tag names the release, which may have become another one.
        if tag and str(tag) not in (row.tag, f"{cluster.version}-release"):
            note = "another version than the release's: is it still wanted?"
            draft.put(cluster.at(f"{place}.image.tag"), str(tag), (*path, tag_key), note)


def traffic_server(cluster: Cluster, draft: Draft) -> None:
    """An image that upstream publishes without a version."""
    if cluster.engines["federation"] != "Pulsar":
        return
    at = cluster.at("modules.trafficServer.image")
    if not any(draft.below(at)):
        note = "REPLACE it: upstream publishes trafficserver without a version, so mirror it, check it, and name your copy"
        draft.put((*at, "tag"), "replace-me", None, note)
        draft.ask(
            "name your checked copy of the trafficserver image: modules.trafficServer.image (KubeFATE pulled whatever was the latest)"
        )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


Part = Callable[[Cluster, Draft], None]
# By kind of cluster, in their order.
PARTS: Mapping[ClusterKind, tuple[Part, ...]] = {
    "party": (
        *(modules, persistence, mysql_users, own_builds, added, images, device, count_node_managers, claims, resources, image_overrides),
        *(engines, party_links, servings, published, boards),
    ),
    "exchange": (modules, own_builds, images, resources, image_overrides, exchange_links, published, traffic_server, no_boards),
    "serving": (
        *(modules, persistence, own_builds, images, claims, resources, image_overrides),
        *(serving_links, server, redis, published, boards),
    ),
    "servingExchange": (modules, own_builds, images, resources, image_overrides, serving_exchange_links, published, no_boards),
}
