"""Runs in the environment of FATE 2.2.0: reads configuration with FATE's own code, and prints what it understood as JSON.

parse.py conf FOLDER        service_conf.yaml and the route tables of a conf folder
parse.py lookup FILE TABLE  where pyfate's Pulsar code in FILE dials party 10000, with the route table TABLE (JSON)
"""

import importlib.util
import json
import os
import sys
import types


def conf(folder):
    from fate_flow import settings

    settings.DEFAULT_SERVER_CONF_PATH = folder
    from fate_flow.entity.spec.dag._federation import (
        OSXFederationSpec,
        PulsarFederationSpec,
        RabbitMQFederationSpec,
        RollSiteFederationSpec,
    )
    from fate_flow.utils import conf_utils, engine_utils, file_utils

    engines = engine_utils.get_engines()
    proxy = conf_utils.get_base_config("fateflow", {}).get("proxy_name")
    settings_of = dict(conf_utils.get_base_config("federation")[engines["federation"]])
    mode = settings_of.pop("mode", "queue") if engines["federation"] == "osx" else None
    parties = {"local": {"role": "guest", "partyid": conf_utils.get_base_config("party_id")}, "parties": []}
    metadata = {"federation_id": "x", "parties": parties}
    if engines["federation"] == "osx" and mode == "stream":
        spec = RollSiteFederationSpec(type="rollsite", metadata={**metadata, "rollsite_config": settings_of})
    elif engines["federation"] == "osx":
        assert mode == "queue", mode
        spec = OSXFederationSpec(type="osx", metadata={**metadata, "osx_config": settings_of})
    else:
        table = file_utils.load_yaml_conf(os.path.join(folder, f"{engines['federation']}_route_table.yaml"))
        if engines["federation"] == "pulsar":
            routes = {"route": {key: value for key, value in table.items() if key != "default"}, "default": table.get("default")}
            spec = PulsarFederationSpec(type="pulsar", metadata={**metadata, "route_table": routes, "pulsar_config": settings_of})
        else:
            spec = RabbitMQFederationSpec(type="rabbitmq", metadata={**metadata, "route_table": table, "rabbitmq_config": settings_of})
    return {
        "engines": engines,
        "standalone": engine_utils.is_standalone(),
        "registered": engine_utils.get_engines_config_from_conf(),
        "proxy": conf_utils.get_base_config("federation")[proxy],
        "party": conf_utils.get_base_config("party_id"),
        "database": conf_utils.get_base_config("database"),
        "spec": spec.dict(),
    }


def lookup(file, table):
    """Everything that the code imports is a stand-in; what is looked at is the code's own."""
    stand_ins = {
        "fate.arch.federation.api": {"PartyMeta": tuple},
        "fate.arch.federation.message_queue": {"MessageQueueBasedFederation": object},
        "pulsar_backend": {},
        "pulsar_backend._mq_channel": dict.fromkeys(("DEFAULT_CLUSTER", "DEFAULT_SUBSCRIPTION_NAME", "DEFAULT_TENANT", "MQChannel")),
        "pulsar_backend._pulsar_manager": {"PulsarManager": None},
    }
    for name, content in stand_ins.items():
        module = types.ModuleType(name)
        module.__dict__.update(content)
        module.__path__ = []
        sys.modules[name] = module
    spec = importlib.util.spec_from_file_location("pulsar_backend._federation", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    made = []

    class Answer:
        ok, status_code, text = True, 204, ""

        def __init__(self, content):
            self.content = content

        def json(self):
            return self.content

    class Manager:
        def __getattr__(self, name):
            answers = {"get_tenant": {"allowedClusters": ["standalone"]}, "get_namespace": [], "get_cluster": {}}

            def call(*arguments, **named):
                if name == "create_cluster":
                    made.append(named)
                return Answer(answers.get(name, {}))

            return call

    party = types.SimpleNamespace
    federation = object.__new__(module.PulsarFederation)
    federation._party = party(role="guest", party_id="9999")
    federation._pulsar_manager, federation._mq = Manager(), party(route_table=json.loads(table))
    federation._tenant, federation._session_id, federation._cluster, federation._topic_ttl = "fl-tenant", "x", "standalone", 3
    federation._create_topic_by_replication_mode(party(role="host", party_id="10000"), "x")
    return made


if __name__ == "__main__":
    print(json.dumps({"conf": conf, "lookup": lookup}[sys.argv[1]](*sys.argv[2:])))
