"""What `fatefed doctor PEER` sends over gRPC is read with FATE 2.2.0's own messages, as its FATE-Flow reads them.

`make pyfate` makes the environment that has them.
"""

import ast
import json
from base64 import b64decode
from contextlib import ExitStack
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields

from cli.doctor.links.packet import body
from cli.doctor.links.questions import Question, Target
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
        question = Question("clinic-b", "osx", "grpc", LOOPBACK, port, Target("10000", "clinic-b", "", ()), "2", "9999")
        answer = ask({"id": "1", **question.plain}, 5)
    assert json.loads(body(b64decode(answer["message"]))) == {"code": 0, "data": "x" * 3000}
    (asked,) = seen
    # The fields that fate_flow/utils/grpc_utils.py reads, and that OSX routes by.
    assert (asked.header.src.partyId, asked.header.dst.partyId, asked.header.dst.role) == ("9999", "10000", "fateflow")
    assert (asked.header.operator, asked.body.key, json.loads(asked.body.value)) == ("POST", "/v2/partner/task/collect", {})
    assert asked.header.conf.overallTimeout == 10000
    assert len(unknown_fields.UnknownFieldSet(asked)) == 0
