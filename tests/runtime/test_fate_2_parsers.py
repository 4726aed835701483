"""FATE 2.2.0's own code reads what a party of FATE 2.x is given: service_conf.yaml, route tables, and the corrected Pulsar file.

`make pyfate` makes the environment that it runs in; nothing is installed here.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.catalogue.releases import catalogue
from tests.charts import cases
from tests.charts.test_configuration import PASSWORD, filled
from tests.support import configs
from tests.support.helm import CHARTS
from tests.support.walk import config_texts
from tests.unit.federation.units.party.test_fate_2 import member

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
ENVIRONMENT = _CACHE / "fate-federation" / "pyfate-2.2.0"
PARSE = Path(__file__).with_name("parse.py")
PACKAGED = "lib/python3*/site-packages/fate/arch/federation/backends/pulsar/_federation.py"


def fate(*arguments: str) -> Any:
    """What FATE's code makes of it. AssertionError with what it printed when it refuses."""
    python = ENVIRONMENT / "bin" / "python"
    assert python.exists(), f"{python} is missing: run `make pyfate`"
    done = subprocess.run([str(python), str(PARSE), *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def conf_folder(case: cases.Case, folder: Path, routes: dict[str, str] | None = None) -> str:
    """FATE-Flow's conf folder of a rendered party, as its pod has it."""
    text = config_texts(case.render())["python-config/service_conf.yaml"]
    conf = folder / "conf"
    conf.mkdir()
    variables = {"POD_IP": "10.0.0.7", "MYSQL_PASSWORD": PASSWORD, "RABBITMQ_PASSWORD": PASSWORD}
    (conf / "service_conf.yaml").write_text(filled(text, folder, "service_conf.yaml", variables))
    for name, table in (routes or {}).items():
        (conf / name).write_text(table)
    return str(conf)


def route_files(stack: configs.Case, folder: Path) -> dict[str, str]:
    """The route files of a stack's party."""
    unit = stack.load(folder).plan.unit("party-9999")
    return {name: text for manifest in unit.routes for name, text in manifest.fields["data"].items()}


@pytest.mark.parametrize("case", cases.COMBINATIONS_2, ids=str)
def test_fate_reads_the_engines_of_a_party(case: cases.Case, tmp_path: Path) -> None:
    engine = case.values["engines"]["federation"]
    routes = {f"{engine}_route_table.yaml": "9999:\n  host: x\n  port: 1\n  sslPort: 2\n"} if engine in ("pulsar", "rabbitmq") else {}
    read = fate("conf", conf_folder(case, tmp_path, routes))
    engines = {kind: case.values["engines"][kind] for kind in ("computing", "federation", "storage")}
    assert {kind: read["engines"][kind] for kind in engines} == engines
    assert (read["engines"]["federated_mode"], read["standalone"], read["party"]) == ("MULTIPLE", False, "9999")
    assert set(read["registered"]["computing"]) == {engines["computing"]}
    assert read["proxy"]["host"] == case.values["engines"]["proxy"]
    assert read["database"]["mysql"]["passwd"] == PASSWORD
    kind = "rollsite" if case.values["engines"].get("osxMode") == "stream" else engine
    assert read["spec"]["type"] == kind
    settings = read["spec"]["metadata"][f"{kind}_config"]
    assert settings["host"] == engine
    assert settings["port"] == {"osx": 9370, "pulsar": 6650, "rabbitmq": 5672}[engine]


STAR = member(configs.FILE_PULSAR, "star")
MESH = member(configs.FILE_PULSAR)
RABBITMQ = member(configs.FILE_RABBITMQ)


@pytest.mark.parametrize(
    ("stack", "case", "routes", "default"),
    [
        (
            STAR,
            cases.FILE_PULSAR,
            {"9999"},
            {"domain": "fraud.example", "brokerPort": 6650, "brokerSslPort": 6651, "proxy": "198.51.100.4:443"},
        ),
        (MESH, cases.FILE_PULSAR, {"9999", "10000"}, None),
    ],
    ids=["star", "mesh"],
)
def test_fate_reads_the_routes_of_pulsar(
    stack: configs.Case, case: cases.Case, routes: set[str], default: dict[str, Any] | None, tmp_path: Path
) -> None:
    files = route_files(stack, tmp_path / "stack")
    table = fate("conf", conf_folder(case, tmp_path, files))["spec"]["metadata"]["route_table"]
    assert set(table["route"]) == routes, "FATE-Flow makes texts of the keys"
    assert table["route"]["9999"] == {"host": "pulsar", "port": 6650, "sslPort": 6651, "proxy": ""}
    assert table["default"] == default


def test_fate_reads_the_routes_of_rabbitmq(tmp_path: Path) -> None:
    files = route_files(RABBITMQ, tmp_path / "stack")
    table = fate("conf", conf_folder(cases.FILE_RABBITMQ, tmp_path, files))["spec"]["metadata"]["route_table"]
    assert table == {"9999": {"host": "rabbitmq", "port": 5672}, "10000": {"host": "203.0.113.20", "port": 5672}}


@pytest.mark.parametrize("missing", ["domain", "brokerPort", "brokerSslPort"])
def test_fate_refuses_what_kubefate_writes_as_default(missing: str, tmp_path: Path) -> None:
    table = yaml.safe_load(route_files(STAR, tmp_path / "stack")["pulsar_route_table.yaml"])
    del table["default"][missing]
    with pytest.raises(AssertionError, match="field required"):
        fate("conf", conf_folder(cases.FILE_PULSAR, tmp_path, {"pulsar_route_table.yaml": yaml.safe_dump(table)}))


def table_of(stack: configs.Case, folder: Path) -> str:
    """The route table as pyfate is handed it by FATE-Flow."""
    files = route_files(stack, folder / "stack")
    read = fate("conf", conf_folder(cases.FILE_PULSAR, folder, files))["spec"]["metadata"]["route_table"]
    return json.dumps(read["route"] | ({} if read["default"] is None else {"default": read["default"]}))


def test_the_patch_of_the_catalogue_makes_pyfate_find_a_peer_of_a_mesh(tmp_path: Path) -> None:
    [row] = catalogue()["2.2.0"].patches
    [original] = ENVIRONMENT.glob(PACKAGED)
    assert row.file.endswith(str(original).split("site-packages/")[1]), "the same file inside the image"
    patched = tmp_path / "patched.py"
    patch = str(CHARTS / "fate-party/files/patch.sh")
    subprocess.run(["sh", patch, str(original), str(patched), row.find, row.replace], check=True, timeout=60)
    before, after = original.read_text(), patched.read_text()
    assert before.count(row.find) == 5
    assert after == before.replace(row.find, row.replace)

    table = table_of(MESH, tmp_path)
    [made] = fate("lookup", str(patched), table)
    # One CA signs for all, so the peer is asked for by its name, at its own address.
    assert made["cluster_name"] == "10000"
    assert (made["broker_url_tls"], made["proxy_url"]) == ("pulsar+ssl://10000.fraud.example:6651", "pulsar+ssl://203.0.113.20:6651")
    with pytest.raises(AssertionError, match="'NoneType' object has no attribute 'get'"):
        fate("lookup", str(original), table)


def test_the_patch_leaves_a_star_as_it_was(tmp_path: Path) -> None:
    [row] = catalogue()["2.2.0"].patches
    [original] = ENVIRONMENT.glob(PACKAGED)
    patched = tmp_path / "patched.py"
    patch = str(CHARTS / "fate-party/files/patch.sh")
    subprocess.run(["sh", patch, str(original), str(patched), row.find, row.replace], check=True, timeout=60)
    table = table_of(STAR, tmp_path)
    for file in (original, patched):
        [made] = fate("lookup", str(file), table)
        assert made["broker_url_tls"] == "pulsar+ssl://10000.fraud.example:6651"
        assert made["proxy_url"] == "pulsar+ssl://198.51.100.4:443"
