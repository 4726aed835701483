"""The combinations of engines that tests/engine/test_combinations.py applies."""

# (release, computing, federation, storage): what a party publishes, and what its exchange does; None: in a mesh.
Row = tuple[str, str, str, str]
COMBINATIONS: dict[Row, tuple[tuple[str, ...], tuple[str, ...] | None]] = {
    ("1.11.2", "Eggroll", "Eggroll", "Eggroll"): (("rollsite",), ("rollsite",)),
    ("1.11.2", "Spark", "RabbitMQ", "HDFS"): (("rabbitmq", "nginx"), None),
    ("1.11.2", "Spark_local", "Pulsar", "LocalFS"): (("pulsar", "nginx"), ("trafficServer", "nginx")),
    ("1.11.2", "Spark_local", "RabbitMQ", "LocalFS"): (("rabbitmq", "nginx"), None),
    ("2.2.0", "Eggroll", "OSX", "Eggroll"): (("osx",), ("osx",)),
    ("2.2.0", "Standalone", "OSX", "Standalone"): (("osx",), None),
    ("2.2.0", "Spark_local", "Pulsar", "File"): (("pulsar", "nginx"), None),
    ("2.0.0", "Spark", "Pulsar", "HDFS"): (("pulsar", "nginx"), ("trafficServer", "nginx")),
}
