"""The tools that can be built: one row each."""

from dataclasses import dataclass
from pathlib import Path

from sandbox import versions

PULUMI_SDK = "github.com/pulumi/pulumi/sdk/v3"
PROVIDER_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
CERT_MANAGER = "github.com/cert-manager/cert-manager"
COREDNS = "github.com/coredns/coredns"
CERT_MANAGER_KINDS = ("certificates", "certificaterequests", "clusterissuers", "issuers")
_VERSION_VARIABLE = f"{PULUMI_SDK}/go/common/version.Version"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to build a tool: module folder below sandbox/tools, package, what the linker sets (`{v}`: version)."""

    name: str
    folder: str
    package: str
    version: str
    link: tuple[str, ...] = ()
    beside: "tuple[Recipe, ...]" = ()  # other programs that it wants in its own folder
    module: str = PULUMI_SDK
    scripts: tuple[str, ...] = ()  # files of that module that it wants there too
    static: bool = False  # whether it must run where there is no libc: in an image of its own
    always: bool = True  # whether `sandbox tools` gets it; otherwise only who names it

    @property
    def files(self) -> tuple[str, ...]:
        """What the folder holds once the tool is built."""
        return (self.name, *(other.name for other in self.beside), *(Path(script).name for script in self.scripts))

    @property
    def key(self) -> str:
        """The folder in the cache."""
        return f"{self.name}-{self.version}"


def _kubernetes(name: str, *, always: bool = True) -> Recipe:
    version = versions.of_module("kubernetes", "k8s.io/kubernetes")
    major, minor, _ = version.split(".")
    base = "k8s.io/component-base/version"
    # Without these the server calls itself v0.0.0.
    link = (f"{base}.gitVersion=v{version}", f"{base}.gitMajor={major}", f"{base}.gitMinor={minor}")
    package = f"k8s.io/kubernetes/cmd/{name}"
    return Recipe(name=name, folder="kubernetes", package=package, version=version, link=link, always=always)


def _language_host() -> Recipe:
    """Pulumi's Python host, which pulumi uses without a warning only from its own folder."""
    return Recipe(
        name="pulumi-language-python",
        folder="language-host",
        package=f"{PULUMI_SDK}/python/cmd/pulumi-language-python",
        version=versions.of_module("language-host", PULUMI_SDK),
    )


def recipes() -> dict[str, Recipe]:
    """Every tool by name. The order is the order of building: control plane first."""
    of = versions.of_module
    rows = (
        *(_kubernetes(f"kube-{name}") for name in ("apiserver", "controller-manager", "scheduler")),
        _kubernetes("kubectl"),
        Recipe(
            name="etcd",
            folder="kubernetes",
            package="go.etcd.io/etcd/server/v3",
            version=of("kubernetes", "go.etcd.io/etcd/server/v3"),
        ),
        Recipe(
            name="kwok",
            folder="kubernetes",
            package="sigs.k8s.io/kwok/cmd/kwok",
            version=of("kubernetes", "sigs.k8s.io/kwok"),
            link=("sigs.k8s.io/kwok/pkg/consts.Version=v{v}",),
        ),
        Recipe(
            name="helm",
            folder="helm",
            package="helm.sh/helm/v3/cmd/helm",
            version=of("helm", "helm.sh/helm/v3"),
            link=("helm.sh/helm/v3/internal/version.version=v{v}",),
        ),
        Recipe(
            name="pulumi",
            folder="pulumi",
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            version=of("pulumi", "github.com/pulumi/pulumi/pkg/v3"),
            link=(f"{_VERSION_VARIABLE}=v{{v}}",),
            beside=(_language_host(),),
            scripts=("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"),
        ),
        Recipe(
            name="pulumi-resource-kubernetes",
            folder="provider",
            package=".",
            version=versions.PROVIDER,
            link=("main.version={v}",),
        ),
        Recipe(
            name="cert-manager",
            folder="cert-manager",
            package=".",
            version=of("cert-manager", CERT_MANAGER),
            module=CERT_MANAGER,
            scripts=tuple(f"deploy/crds/cert-manager.io_{kind}.yaml" for kind in CERT_MANAGER_KINDS),
            always=False,
        ),
        *(_kubernetes(name, always=False) for name in ("kubelet", "kube-proxy")),
        Recipe(name="coredns", folder="coredns", package=".", version=of("coredns", COREDNS), static=True, always=False),
    )
    return {row.name: row for row in rows}
