"""`Packet` of FATE's proxy.proto, as far as FATE-Flow and the proxies between two parties read it.

Built by descriptors, because FATE's generated modules are of one version of protobuf each. Numbers of fields: proxy.proto and
basic_meta.proto of FATE 1.x and 2.x alike; tests/runtime reads the result with FATE 2.2.0's own.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {"string": _FIELD.TYPE_STRING, "bytes": _FIELD.TYPE_BYTES, "int64": _FIELD.TYPE_INT64}
# Messages, with the number, name and type of each field.
_MESSAGES = {
    "Topic": ((2, "partyId", "string"), (3, "role", "string")),
    "Command": ((1, "name", "string"),),
    "Conf": ((1, "overallTimeout", "int64"),),
    "Metadata": (
        (2, "src", "Topic"),
        (3, "dst", "Topic"),
        (4, "command", "Command"),
        (5, "operator", "string"),
        (8, "conf", "Conf"),
    ),
    "Data": ((1, "key", "string"), (2, "value", "bytes")),
    "Packet": ((1, "header", "Metadata"), (2, "body", "Data")),
}


def packet(sender: str, receiver: str, request: dict[str, str], seconds: float) -> bytes:
    """A party's request to the HTTP API of another's FATE-Flow. `request`: its method, path and body; `seconds`: how long proxies wait."""
    role, path = "fateflow", request["path"]
    header = {
        "src": {"partyId": sender, "role": role},
        "dst": {"partyId": receiver, "role": role},
        "command": {"name": path},
        "operator": request["method"],
        "conf": {"overallTimeout": int(seconds * 1000)},
    }
    message = _packet_class()(header=header, body={"key": path, "value": request["body"].encode()})
    return bytes(message.SerializeToString())


def body(answer: bytes) -> str:
    """What FATE-Flow answered; empty for what is no packet."""
    try:
        return str(_packet_class().FromString(answer).body.value.decode("utf-8", "replace"))
    except DecodeError:
        return ""


@cache
def _packet_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="fatefed/proxy.proto", package="fatefed", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, kind in fields:
            added = message.field.add(name=field, number=number, label=_FIELD.LABEL_OPTIONAL)
            if kind in _TYPES:
                added.type = _TYPES[kind]
            else:
                added.type, added.type_name = _FIELD.TYPE_MESSAGE, f".fatefed.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("fatefed.Packet"))
