"""What FATE-Flow of FATE 2.2.0 answered and did in real runs: two parties with RabbitMQ behind nginx routers, one thing wrong at a time."""

from cli.flow.client import Answer
from cli.flow.jobs import Job, Task

_CREATE = "http://127.0.11.2:9300/v2/partner/job/create"


def _not_created(host: str, code: int, message: str) -> Answer:
    where = '  File "/data/projects/fate/fate_flow/python/fate_flow/scheduler/scheduler.py", line 389, in create_all_job'
    guest = "{'9999': {'code': 0, 'message': 'success'}}"
    said = f"('create job failed', {{'guest': {guest}, 'host': {{'{host}': {{'code': {code}, 'message': '{message}'}}}}}})"
    text = f'Traceback (most recent call last):\n{where}\n    raise Exception("create job failed", response)\nException: {said}\n'
    return Answer(1002, text, {"model_id": "202612010338563338350"}, "202612010338563338350")


_BAD_GATEWAY = f"Federated schedule error, 502 Server Error: Bad Gateway for url: {_CREATE}"
# Party 20000, which no exchange knows; the same came when the exchange's route to 10000 led nowhere, and when FATE-Flow of 10000 was down.
UNKNOWN_PARTY = _not_created("20000", 104, _BAD_GATEWAY)
NEXT_HOP_DOWN = _not_created("10000", 104, _BAD_GATEWAY)
OWN_PROXY_DOWN = Answer(
    104,
    "Federated schedule error, HTTPConnectionPool(host='127.0.11.2', port=9300): Max retries exceeded with url: /v2/scheduler/job/create "
    "(Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7fd00816d210>: Failed to establish a new connection: "
    "[Errno 111] Connection refused'))",
)

_ID = "202612010348467419540"
_NO_TABLE = 'Check failed[{"code":7001,"message":"No found table: name[a],namespace[experiment]"}\n]'
# A PSI whose table was missing at the host, then at the guest.
HOST_TABLE_MISSING = Job(_ID, "failed", 8.2, (Task("reader_0", "failed", "success", ""), Task("psi_0", "waiting", "waiting", "")))
OWN_TABLE_MISSING = Job(_ID, "failed", 6.1, (Task("reader_0", "failed", "failed", _NO_TABLE), Task("psi_0", "waiting", "waiting", "")))
# A toy whose own RabbitMQ had a wrong port for the peer's.
WRONG_BROKER_PORT = Job(_ID, "running", 46.5, (Task("toy_0", "running", "running", ""),), late=True)
# RabbitMQ's links meanwhile, of /api/federation-links, of which `rabbitmqctl federation_status` prints the same.
_LINK = (
    '{"queue":"receive-202612010348467419540_toy_0_0-host-10000-guest-9999-guest_index","type":"queue",'
    '"vhost":"202612010348467419540_toy_0_0-guest-9999-host-10000","status":"error","error":"econnrefused","uri":"amqp://127.0.12.3:5673"}'
)
LINKS_DOWN = f"[{_LINK},{_LINK}]"
