"""The rows: every key of KubeFATE's guide and of its charts, and what becomes of it.

Facts: section 14 of the reference, and the configuration part of KubeFATE's guide. `docs/guides/from-kubefate.md` repeats these rows.
"""

from cli.convert.clusters import FML_MANAGER, SITE_PORTAL, ClusterKind
from cli.convert.rows.engines import EGGROLL, ENGINES_ELSEWHERE, FATEFLOW, MYSQL, SPARK_AND_HDFS
from cli.convert.rows.links import LINKS, PROXIES
from cli.convert.rows.pages import page_rows
from cli.convert.rows.row import ANY_SERVING, EVERY, EXCHANGE, PARTY, SERVING, TRAINING, Follows, Lost, Part, Password, Row, Same, To
from cli.convert.rows.serving import FATE_SERVING, PUBLISHING
from cli.convert.rows.shared import claim_rows, module_rows, service_rows

_TAG = Part("release", "that of a release follows from it; images of your own are to be built again")
_COMMON = (
    Row("name", Part("the stack's name, fate:organization", "the organization is yours to name: --organization"), EVERY),
    Row("namespace", To("namespace"), EVERY),
    Row("chartName", Part("the unit: fate:parties, fate:exchange, fate:serving or fate:servingExchange"), EVERY),
    Row("chartVersion", Part("release", "a release that is not deployed here becomes the nearest one, with a warning"), EVERY),
    Row("partyId", Part("the key under fate:parties", "an exchange has none: `exchange`, 0 or any other"), EVERY, "any"),
    Row("registry", Part("fate:images.registry", "charts 2.0 write no slash behind it and keep federatedai/"), EVERY),
    Row("imageTag", _TAG, TRAINING, until="1.8"),
    Row("imageTag", _TAG, ANY_SERVING, until="2.0"),
    Row("pullPolicy", To("fate:images.pullPolicy"), EVERY),
    Row("imagePullSecrets[].name", Part("fate:images.pullSecret.kubernetesSecret", "one Secret; it must be in the namespace"), EVERY),
    Row("modules", Part("modules, and the engines", "required ones follow from the engines, optional ones are named"), EVERY, "list"),
    Row("persistence", Part("persistence", "false becomes `none`: data is lost with the pod"), EVERY, "flag"),
    Row("podSecurityPolicy.enabled", Lost("Kubernetes removed PodSecurityPolicy in 1.25; the Namespace asks for Pod Security `baseline`"),
        EVERY, "flag"),
    Row("skippedKeys", Follows("the check of this file", "it switched off KubeFATE's own check of key names"), EVERY, "list"),
)  # fmt: skip

_ENGINES = (
    Row("backend", Part("computing, federation, storage"), until="1.8"),
    Row("computing", Part("computing"), since="1.9"),
    Row("federation", Part("federation", "Eggroll is OSX in FATE 2.x"), since="1.9"),
    Row("storage", Part("storage", "LocalFS is File in FATE 2.x"), since="1.9"),
    Row("python.enabledNN", Part("algorithm", "true: NN"), type="flag", since="1.6", until="1.8"),
    Row("algorithm", To("algorithm"), since="1.9"),
    Row("device", Part("device", "absent: CPU here; the chart's own default is IPCL"), since="1.9"),
)

_CLIENT = (
    *service_rows("client", "modules.client", {}),
    *claim_rows("client", "modules.client"),
    Row("client.notebook_hashed_password", Password("notebook", "a new password: its hash is made in the pod"), secret=True),
    *service_rows("fateboard", "modules.fateboard", {}),
    Row("fateboard.username", Same("admin", "the user is admin here")),
    Row("fateboard.password", Password("fateboard"), secret=True),
)

# What becomes of FedLCM's own modules, by the kind of cluster.
PORTAL_NOTES: dict[ClusterKind, str] = {
    "party": "describe Site Portal under fate:sitePortal (docs/guides/site-portal.md)",
    "exchange": "describe FML Manager under fate:exchange.fmlManager (docs/guides/site-portal.md)",
}

# The modules, in KubeFATE's words, by the kinds of cluster that have them. What lbrollsite says wins over rollsite, which comes first.
_BY_KINDS: dict[tuple[ClusterKind, ...], tuple[str, ...]] = {
    TRAINING: ("rollsite", "osx", "nginx"),
    PARTY: ("python", "mysql", "lbrollsite", "clustermanager", "nodemanager", "spark.master", "spark.worker", "hdfs.namenode",
            "hdfs.datanode", "rabbitmq", "pulsar", "fateboard", "client"),
    EXCHANGE: ("trafficServer",),
    ANY_SERVING: ("servingProxy",),
    SERVING: ("servingServer", "servingRedis", "servingZookeeper", "servingAdmin"),
}  # fmt: skip
_CALLED_HERE = {"python": "fateflow", "lbrollsite": "rollsite"}
# Where each module's knobs go: the module's word in KubeFATE, its place, and the kinds of cluster that have it.
MODULES = tuple((word, f"modules.{_CALLED_HERE.get(word, word)}", kinds) for kinds, words in _BY_KINDS.items() for word in words)

TABLE: tuple[Row, ...] = (
    *_COMMON,
    *_ENGINES,
    *(row for word, place, kinds in MODULES for row in module_rows(word, place, kinds)),
    *FATEFLOW,
    *ENGINES_ELSEWHERE,
    *MYSQL,
    *PROXIES,
    *EGGROLL,
    *SPARK_AND_HDFS,
    *LINKS,
    *_CLIENT,
    *page_rows(PARTY),
    *PUBLISHING,
    *FATE_SERVING,
    Row("istio.enabled", Lost("an exchange has no web pages"), EXCHANGE, "flag"),
    *(Row(f"{word}.*", Lost(PORTAL_NOTES["party"], ()), PARTY, "any", secret=True) for word in SITE_PORTAL),
    *(Row(f"{word}.*", Lost(PORTAL_NOTES["exchange"], ()), EXCHANGE, "any", secret=True) for word in FML_MANAGER),
)
