"""What FATE-Flows of two parties ask each other, as FATE's own code builds it; and what nobody but their own users asks.

Sources: FATE-Flow 1.11.2, scheduler/federated_scheduler.py, apps/model_app.py and apps/info_app.py, headers by utils/api_utils.py and
utils/requests_utils.py; FATE-Flow 2.2.0, ofx/api/models/fate_flow/federated.py, scheduler.py and resource.py.
"""

from dataclasses import dataclass

JOB, TASK = "202611300422138905670", "202611300422138905670_hetero_lr_0"
_STATUSES = ("waiting", "running", "canceled", "timeout", "failed", "success")


@dataclass(frozen=True)
class Call:
    """One request."""

    path: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def calls_1(to: str = "9999", source: str = "10000") -> list[Call]:
    """Those of FATE 1.x."""
    job = [
        "create", "component/inheritance/check", "component/rerun/check", "dependence/check", "resource/apply", "resource/return", "start",
        "align", "update", "parameter/update", "model", "clean", *(f"status/{s}" for s in _STATUSES), *(f"stop/{s}" for s in _STATUSES),
    ]  # fmt: skip
    task = [
        "create", "start", "update", "collect", "clean/table", "clean/metrics",
        *(f"status/{s}" for s in _STATUSES), *(f"stop/{s}" for s in _STATUSES),
    ]  # fmt: skip
    endpoints = [
        *(f"/party/{JOB}/host/{to}/{command}" for command in job),
        *(f"/party/{JOB}/hetero_lr_0/{TASK}/0/host/{to}/{command}" for command in task),
        f"/party/{JOB}/Homo-NN.v2/{JOB}_Homo-NN.v2/12/arbiter/{to}/start",
        f"/initiator/{JOB}/guest/{to}/stop/canceled",
        f"/initiator/{JOB}/guest/{to}/rerun",
        f"/initiator/{JOB}/hetero_lr_0/{TASK}/0/host/{source}/report",
        f"/tracker/{JOB}/hetero_lr_0/host/{to}/output/table",
        "/model/load/do", "/model/migrate/do", "/model/deploy/do", "/info/common",
    ]  # fmt: skip
    headers = (("USER-AGENT", "fateflow/1.11.2"), ("SERVICE", "fateflow"), ("SRC-FATE-VER", "1.11.2"), ("SRC-PARTY-ID", source))
    headers += (("DEST-PARTY-ID", to), ("SRC-ROLE", "guest"))
    return [Call(f"/v1{endpoint}", headers) for endpoint in endpoints]


def calls_2(to: str = "9999", source: str = "10000") -> list[Call]:
    """Those of FATE 2.x."""
    job = ["create", "stop", "status/update", "resource/apply", "resource/return", "start", "update"]
    task = ["resource/apply", "resource/return", "start", "rerun", "collect", "status/update", "stop"]
    endpoints = [f"/partner/job/{command}" for command in job] + [f"/partner/task/{command}" for command in task]
    endpoints += [f"/scheduler/{command}" for command in ("job/create", "job/stop", "job/rerun", "task/report")]
    headers = (("User-Agent", "python-requests/2.31.0"), ("initiator-party-id", source), ("dest-party-id", to), ("service", "fateflow"))
    return [Call(f"/v2{endpoint}", headers) for endpoint in endpoints]


# What a client of FATE-Flow may ask, who is no partner: each reads, writes or runs something of the party's own.
CLIENT_PATHS = (
    "GET /v2/job/list/query?limit=3", "GET /v2/provider/query", "POST /v2/data/component/upload",
    "GET /v2/data/download?name=a&namespace=b", "POST /v2/provider/register", "POST /v2/job/submit", "POST /v2/job/queue/clean",
    "GET /v2/server/fateflow", "GET /v2/server/query/all", "POST /v2/server/registry", "POST /v2/worker/task/status",
    "POST /v2/client/partner/create", "GET /v2/site/info/query", "GET /v2/", "GET /v2/partner/job/create", "PUT /v2/partner/job/create",
    "POST /v2/partner", "POST /v2/partner/", "POST /v2/partner/job/delete", "POST /v2/scheduler/job/create/x", "POST /v1/job/submit",
    "POST /v1/job/list/job", "POST /v1/data/upload", "POST /v1/data/download", "POST /v1/job/clean/queue", "POST /v1/provider/register",
    "POST /v1/forward/fateboard/do", "POST /v1/info/party/10001", "POST /v1/model/transfer", "POST /v1/model/load",
    "POST /v1/operation/job_config/get", "POST /v1/info/fateboard", "POST /v1/tracker/1/a/a_1/0/host/9999/model/get",
    "POST /v1/party/1/host/9999", "POST /v1/party/1/host/9999/x/y/z/start/start", "GET /", "GET /50x.html", "GET /test",
    "POST /v1/interconn/schedule/job/create",
)  # fmt: skip
