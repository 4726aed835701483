"""What the catalogue does not know for sure of the releases that a stack deploys: warnings of each preview."""

from collections.abc import Iterator, Mapping

from federation.catalogue.releases import UncertainRow
from federation.config.modules import ModuleSpec
from federation.config.party import module_specs
from federation.config.stack import StackSpec
from federation.config.units import party_units
from federation.manifests.modules import Variant
from federation.units.exchange.plan import exchange_module_specs
from federation.units.party.values import deployed_modules


def release_warnings(spec: StackSpec) -> Iterator[str]:
    """A sentence for each doubt that concerns a party or the exchange of this stack."""
    if spec.exchange is not None:
        release = spec.catalogue[spec.exchange.release]
        given = exchange_module_specs(spec.exchange)
        deployed = {name: given[name] for name in release.exchanges[spec.exchange.federation]}
        for row in release.uncertain:
            if _concerns(row, deployed, Variant()):
                yield f"the exchange, FATE {release.release}: {row.says}"
    for party, unit in party_units(spec).items():
        own = unit.spec
        variant, said = Variant(own.computing, own.algorithm, own.device), module_specs(own)
        modules = {name: said[name] or ModuleSpec() for name in deployed_modules(unit)}
        for row in unit.release.uncertain:
            if _concerns(row, modules, variant):
                yield f"party {party}, FATE {own.release}: {row.says}"


def _concerns(row: UncertainRow, deployed: Mapping[str, ModuleSpec], variant: Variant) -> bool:
    """Whether a doubt is one here; one about images is none when the stack names them."""
    of_release = {name for name, given in deployed.items() if given.image.tag is None and given.image.digest is None}
    return (
        (not row.modules or bool(of_release & set(row.modules)))
        and (not row.computing or variant.computing in row.computing)
        and (not row.suffixed or (variant.algorithm, variant.device) != ("Basic", "CPU"))
    )
