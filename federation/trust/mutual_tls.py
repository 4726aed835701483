"""The certificates of a Site Portal or an FML Manager: which entries of fate:secrets hold them, and the names they must carry.

Each side shows the other a certificate of the federation's CA: one when it is called, another when it calls (reference section 11.5).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from federation.pki.certificates import certificate_problems, client_problems

# The program calls itself by this name.
LOCALHOST = "localhost"


@dataclass(frozen=True)
class MutualTls:
    """The two certificates of a unit. `key`: of the unit, which begins the names of the entries."""

    key: str
    server_name: str
    client_name: str

    @property
    def sources(self) -> dict[str, str]:
        """The entries of fate:secrets by file."""
        sides = {f"{side}.{end}": f"{self.key}-{side}-{what}" for side in ("server", "client") for end, what in _PARTS.items()}
        return {**sides, "ca.crt": f"{self.key}-ca"}

    @property
    def provided(self) -> dict[str, str]:
        """What each entry is."""
        names = {"server": f"{self.server_name} and {LOCALHOST}", "client": self.client_name}
        entries = {}
        for side, name in names.items():
            entries[f"{self.key}-{side}-certificate"] = f"the PEM certificate for {name} (then its intermediates)"
            entries[f"{self.key}-{side}-key"] = f"the PEM private key for {name}"
        return {**entries, f"{self.key}-ca": f"the PEM certificate of the federation's CA, for {self.key}"}

    @property
    def shown(self) -> dict[str, str]:
        """The entries with certificates, each with its name."""
        return {self.sources["server.crt"]: self.server_name, self.sources["client.crt"]: self.client_name}

    def problems(self, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Each entry that would not work, and why; nothing while one of them is missing."""
        if not secrets.keys() >= set(self.sources.values()):
            return
        text = {file: secrets[entry] for file, entry in self.sources.items()}
        server = (text["server.crt"], text["server.key"], text["ca.crt"])
        for problem in dict.fromkeys(
            problem for name in (self.server_name, LOCALHOST) for problem in certificate_problems(*server, server_name=name)
        ):
            yield self.sources["server.crt"], problem
        for problem in client_problems(text["client.crt"], text["client.key"], text["ca.crt"], common_name=self.client_name):
            yield self.sources["client.crt"], problem


_PARTS = {"crt": "certificate", "key": "key"}
