"""Rows of FATE-Serving, and of where FATE-Flow publishes models."""

from cli.convert.rows.pages import page_rows
from cli.convert.rows.row import ANY_SERVING, SERVING, SERVING_EXCHANGE, ForType, Lost, Part, Password, Row, Same, To
from cli.convert.rows.shared import HUB, PEERS, charts_to, claim_rows, persistent, published_rows, service_rows

_NO_PAGE = "an exchange of FATE-Serving shows nothing to browsers"

PUBLISHING = (
    Row("servingIp", Part("servings.hosts")),
    Row("servingPort", Part("servings.hosts"), type="number"),
    Row("serving.useRegistry", To("servings.useRegistry"), type="flag"),
    Row("serving.zookeeper.hosts", Part("servings.zookeeper.hosts", "with useRegistry"), type="any"),
    Row("serving.zookeeper.use_acl", Part("servings.zookeeper.user"), type="flag"),
    Row("serving.zookeeper.user", Part("servings.zookeeper.user", "with use_acl")),
    Row("serving.zookeeper.password", Password("zookeeper", "with use_acl"), secret=True),
)

_SERVER_BALANCED = ForType("modules.servingServer.service.loadBalancerIP", "servingServer.type", "LoadBalancer", "with type LoadBalancer")


# The host's misspelled key is that of the first chart; the next one has it right, and since 2.1.5 the hosts stand under `ingress`.
_OF_2_0_0 = charts_to("2.0.0")
FATE_SERVING = (
    *published_rows("servingProxy", "servingProxy", "serving-proxy", {"nodePort": ("port", "8869")}, ANY_SERVING),
    Row("servingProxy.ingerssHost", Part("boards.servingProxy.host"), SERVING, used=(_OF_2_0_0,)),
    Row("servingProxy.ingerssHost", Lost(_NO_PAGE), SERVING_EXCHANGE, used=(_OF_2_0_0,)),
    Row("servingProxy.ingressHost", Part("boards.servingProxy.host"), SERVING, until="2.0"),
    Row("servingProxy.ingressHost", Lost(_NO_PAGE), SERVING_EXCHANGE, until="2.0"),
    Row("servingProxy.partyList[].partyId", Part(f"{PEERS}.partyId"), ANY_SERVING, "any"),
    Row("servingProxy.partyList[].partyIp", Part(f"{PEERS}.servingProxy"), ANY_SERVING),
    Row("servingProxy.partyList[].partyPort", Part(f"{PEERS}.servingProxy"), ANY_SERVING, "number"),
    Row("servingProxy.exchange.ip", Part(f"{HUB}.servingProxy"), ANY_SERVING),
    Row("servingProxy.exchange.port", Part(f"{HUB}.servingProxy"), ANY_SERVING, "number"),
    *service_rows("servingServer", "modules.servingServer", {"nodePort": "tcp-serving-server"}, SERVING, default=True),
    Row("servingServer.loadBalancerIP", _SERVER_BALANCED, SERVING),
    Row("servingServer.fateflow.ip", Part("fateflow"), SERVING),
    Row("servingServer.fateflow.port", Part("fateflow"), SERVING, "number"),
    Row("servingServer.cacheSwitch", To("cache.remoteResults"), SERVING, "flag"),
    Row("servingServer.cacheType", To("cache.type"), SERVING, default=True),
    Row("servingServer.singleAdaptor", Part("adaptors.single", "a class without a package gets FATE-Serving's"), SERVING),
    Row("servingServer.batchAdaptor", Part("adaptors.batch", "a class without a package gets FATE-Serving's"), SERVING),
    Row("servingServer.AdapterURL", To("adaptors.url"), SERVING),
    *claim_rows("servingServer", "modules.servingServer", SERVING),
    *claim_rows("servingRedis", "modules.servingRedis", SERVING),
    Row("servingRedis.password", Password("redis"), SERVING, secret=True),
    *claim_rows("servingZookeeper", "modules.servingZookeeper", SERVING),
    Row("servingZookeeper.storageClassName", To("modules.servingZookeeper.persistence.storageClass"), SERVING, used=(persistent,)),
    Row("servingAdmin.ingressHost", Part("boards.servingAdmin.host"), SERVING, until="2.0"),
    Row("servingAdmin.username", Same("admin", "the user is admin here"), SERVING),
    Row("servingAdmin.password", Password("admin"), SERVING, secret=True),
    Row("externalRedisIp", Part("engines.redis.external.host"), SERVING),
    Row("externalRedisPort", Part("engines.redis.external.port"), SERVING, "number"),
    Row("externalRedisPassword", Password("redis", "engines.redis.external.password names the entry"), SERVING, secret=True),
    *page_rows(SERVING),
    Row("ingressClassName", Lost(_NO_PAGE, ("", "nginx")), SERVING_EXCHANGE),
    *(
        Row(f"ingress.{word}.{key}", Lost(_NO_PAGE), SERVING_EXCHANGE, kind)  # type: ignore[arg-type]
        for word in ("servingProxy", "servingAdmin")
        for key, kind in (("annotations", "map"), ("hosts[].name", "text"), ("hosts[].path", "text"), ("tls[].secretName", "text"),
                          ("tls[].hosts", "list"))
    ),
    Row("istio.enabled", Lost(_NO_PAGE), SERVING_EXCHANGE, "flag"),
)  # fmt: skip
