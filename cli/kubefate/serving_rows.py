"""Rows of FATE-Serving, and of where FATE-Flow publishes models."""

from cli.kubefate.page_rows import page_rows
from cli.kubefate.rows import ANY_SERVING, SERVING, SERVING_EXCHANGE, ForType, Lost, Part, Password, Row, Same, To
from cli.kubefate.shared_rows import HUB, PEERS, claim_rows, persistent, published_rows, service_rows

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

_SERVER_BALANCED = ForType(
    "modules.servingServer.service.loadBalancerIP", "servingServer.type", "LoadBalancer", "ClusterIP", "with type LoadBalancer"
)

FATE_SERVING = (
    *published_rows("servingProxy", "servingProxy", {"nodePort": ("port", 30096)}, ANY_SERVING),
    Row("servingProxy.ingerssHost", Part("boards.servingProxy.host"), SERVING),
    Row("servingProxy.ingerssHost", Lost(_NO_PAGE), SERVING_EXCHANGE),
    Row("servingProxy.partyList[].partyId", Part(f"{PEERS}.partyId"), ANY_SERVING, "any"),
    Row("servingProxy.partyList[].partyIp", Part(f"{PEERS}.servingProxy"), ANY_SERVING),
    Row("servingProxy.partyList[].partyPort", Part(f"{PEERS}.servingProxy"), ANY_SERVING, "number"),
    Row("servingProxy.exchange.ip", Part(f"{HUB}.servingProxy"), ANY_SERVING),
    Row("servingProxy.exchange.port", Part(f"{HUB}.servingProxy"), ANY_SERVING, "number"),
    *service_rows("servingServer", "modules.servingServer", {"nodePort": "tcp-serving-server"}, SERVING),
    Row("servingServer.loadBalancerIP", _SERVER_BALANCED, SERVING),
    Row("servingServer.fateflow.ip", Part("fateflow"), SERVING),
    Row("servingServer.fateflow.port", Part("fateflow"), SERVING, "number"),
    Row("servingServer.cacheSwitch", To("cache.remoteResults"), SERVING, "flag"),
    Row("servingServer.cacheType", To("cache.type"), SERVING, absent="local"),
    Row("servingServer.singleAdaptor", Part("adaptors.single", "a class without a package gets FATE-Serving's"), SERVING),
    Row("servingServer.batchAdaptor", Part("adaptors.batch", "a class without a package gets FATE-Serving's"), SERVING),
    Row("servingServer.AdapterURL", To("adaptors.url"), SERVING),
    *claim_rows("servingServer", "modules.servingServer", SERVING),
    *claim_rows("servingRedis", "modules.servingRedis", SERVING),
    Row("servingRedis.password", Password("redis"), SERVING, secret=True),
    *claim_rows("servingZookeeper", "modules.servingZookeeper", SERVING),
    Row("servingZookeeper.storageClassName", To("modules.servingZookeeper.persistence.storageClass"), SERVING, used=(persistent,)),
    Row("servingAdmin.ingressHost", Part("boards.servingAdmin.host"), SERVING),
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
