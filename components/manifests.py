"""A stack's own objects: one ConfigGroup for each entry of `fate:manifests`, each object a resource of the preview."""

from collections.abc import Iterable

from pulumi import ProviderResource, ResourceOptions, ResourceTransformArgs, ResourceTransformResult

from components.objects import Rendered, register_references
from components.site import Site
from federation.units.own_objects import KEPT_KINDS, ExtraManifests


def extra_manifests(
    files: Iterable[ExtraManifests], sites: Iterable[Site], opts: ResourceOptions, retained: ProviderResource
) -> list[Rendered]:
    """A group for each entry, made when the namespaces are there. Logical names: `manifests-<entry>:<namespace>/<name>`."""

    def keep(args: ResourceTransformArgs) -> ResourceTransformResult | None:
        """What holds data stays in the cluster when its line is removed, like the stack's own claims."""
        if args.type_.rpartition(":")[2] not in KEPT_KINDS:
            return None
        kept = ResourceOptions(retain_on_delete=True, provider=retained)
        return ResourceTransformResult(props=args.props, opts=ResourceOptions.merge(args.opts, kept))

    namespaces = [namespace for site in sites for namespace in site.namespace]
    opts = ResourceOptions.merge(opts, ResourceOptions(depends_on=namespaces, transforms=[keep]))
    documents = {file.name: list(file.documents()) for file in files}
    register_references(document["apiVersion"] for own in documents.values() for document in own)
    return [Rendered("kubernetes:yaml/v2:ConfigGroup", f"manifests-{name}", {"objs": own}, opts) for name, own in documents.items()]
