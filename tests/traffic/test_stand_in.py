"""The router of the sandbox's test image chooses as FATE's does: by headers, from route_table.yaml, whose changes it takes up."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.configs import Case, party, stack
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import named
from tests.traffic.router import LOOPBACK, FateFlow, Router, fate_flow, router

pytestmark = pytest.mark.traffic
TABLE = """\
default:
  proxy:
    - host: {host}
      http_port: {proxy}
"9999":
  fateflow:
    - host: {host}
      http_port: {own}
10000:
  proxy:
    - host: {host}
      http_port: {proxy}
"""


@contextmanager
def running(folder: Path, table: str) -> Iterator[tuple[Router, FateFlow, FateFlow]]:
    """The router of a party with this table, and two FATE-Flows: its own, and the one that stands where the exchange is."""
    unit = Case("", stack("bank-a", topology="mesh", parties={"9999": party(exchange=None)})).load(folder).plan.unit("party-9999")
    files = named(helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain()), "ConfigMap", "nginx-config")["data"]
    with ExitStack() as until:
        own, proxy = until.enter_context(fate_flow()), until.enter_context(fate_flow())
        routes = table.format(host=LOOPBACK, own=own.port, proxy=proxy.port)
        yield until.enter_context(router(folder / "router", files, routes)), own, proxy


def ask(asked: Router, *headers: str) -> str:
    """The status of a partner's call with these headers."""
    lines = "".join(f"{header}\r\n" for header in headers)
    raw = f"POST /v1/version/get HTTP/1.1\r\nHost: nginx\r\nConnection: close\r\nContent-Length: 2\r\n{lines}\r\n{{}}"
    return asked.ask(raw.encode())[9:12].decode()


def test_headers_and_route_table_decide_where_a_request_goes(tmp_path: Path) -> None:
    with running(tmp_path, TABLE) as (asked, own, proxy):
        assert ask(asked, "dest-party-id: 9999", "service: fateflow") == "200"
        assert (len(own.arrived), len(proxy.arrived)) == (1, 0)
        assert ask(asked, "dest-party-id: 8888", "service: fateflow") == "200", "an unknown party: default's proxy"
        assert (len(own.arrived), len(proxy.arrived)) == (1, 1)
        assert ask(asked, "dest-party-id: 10000", "service: fateflow") == "500", "a known party without this service"
        assert (len(own.arrived), len(proxy.arrived)) == (1, 1)


def test_without_a_default_an_unknown_party_is_an_error(tmp_path: Path) -> None:
    with running(tmp_path, TABLE[TABLE.index('"9999"') :]) as (asked, own, _):
        assert ask(asked, "dest-party-id: 9999", "service: fateflow") == "200"
        assert ask(asked, "dest-party-id: 8888", "service: fateflow") == "500"
        assert len(own.arrived) == 1


def test_it_says_that_it_is_a_stand_in_and_takes_up_a_changed_table_but_forgets_no_party(tmp_path: Path) -> None:
    with running(tmp_path, TABLE) as (asked, _, proxy):
        end = time.monotonic() + 12
        while "stand-in for FATE's router" not in asked.output.read_text():
            assert time.monotonic() < end, "a worker says so when it starts"
            time.sleep(0.1)
        file = tmp_path / "router/proxy/nginx/conf/modifiable/route_table.yaml"
        file.write_text(f"9999:\n  fateflow:\n    - host: {LOOPBACK}\n      http_port: {proxy.port}\n")
        end = time.monotonic() + 12
        while not proxy.arrived and time.monotonic() < end:
            assert ask(asked, "dest-party-id: 9999", "service: fateflow") == "200"
            time.sleep(0.5)
        assert proxy.arrived, "it reads the table every five seconds"
        before = len(proxy.arrived)
        assert ask(asked, "dest-party-id: 7777", "service: fateflow") == "200", "default left the file, and stays known until a restart"
        assert len(proxy.arrived) == before + 1


def test_a_host_name_in_the_table_leads_nowhere(tmp_path: Path) -> None:
    with running(tmp_path, TABLE.replace("{host}", "localhost", 1)) as (asked, _, proxy):
        assert ask(asked, "dest-party-id: 8888", "service: fateflow") == "502"
        assert not proxy.arrived
