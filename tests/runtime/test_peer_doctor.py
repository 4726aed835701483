"""What `fatefed doctor PEER` sends over gRPC is read with FATE 2.2.0's own messages, as its FATE-Flow reads them.

`make pyfate` makes the environment that has them.
"""

import ast
import json
from contextlib import ExitStack
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields

from cli.doctor.probe import ask
from tests.runtime.test_fate_2_parsers import ENVIRONMENT
from tests.support.peer_servers import LOOPBACK, SERVICE, serve_grpc

PATTERN = "lib/python3*/site-packages/fate_flow/proto/rollsite"


@pytest.fixture(scope="module")
def packet() -> Any:
    """FATE's class `Packet`."""
    (folder,) = ENVIRONMENT.glob(PATTERN)
    pool = descriptor_pool.DescriptorPool()
    for name in ("basic_meta_pb2.py", "proxy_pb2.py"):
        calls = [node for node in ast.walk(ast.parse((folder / name).read_text())) if isinstance(node, ast.Call)]
        (content,) = [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func).endswith("AddSerializedFile")]
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(content))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{SERVICE.rpartition('.')[0]}.Packet"))


def test_fate_reads_who_asks_whom_for_what_and_its_answer_is_read(packet: Any) -> None:
    seen: list[Any] = []
    with ExitStack() as until:
        port = serve_grpc(until, {"10000": (200, {"code": 0, "data": "x" * 3000})}, packet, seen)
        call = {"from": "9999", "to": "10000", "method": "GET", "path": "/v2/server/fateflow", "body": "{}"}
        metadata = {"service": "fateflow", "src-party-id": "9999", "dest-party-id": "10000"}
        question = {"id": "1", "kind": "grpc", "host": LOOPBACK, "port": port, "call": {**call, "metadata": metadata}}
        answer = ask(question, 5)
    assert json.loads(answer["body"]) == {"code": 0, "data": "x" * 3000}
    (asked,) = seen
    # The fields that fate_flow/utils/grpc_utils.py reads, and that OSX routes by.
    assert (asked.header.src.partyId, asked.header.dst.partyId, asked.header.dst.role) == ("9999", "10000", "fateflow")
    assert (asked.header.operator, asked.body.key, json.loads(asked.body.value)) == ("GET", "/v2/server/fateflow", {})
    assert asked.header.conf.overallTimeout == 5000
    assert len(unknown_fields.UnknownFieldSet(asked)) == 0
