"""The commented parts of a stack file, as `fatefed init` puts them together.

They are spelled as Pulumi spells them, so that `pulumi config set` changes only what it is told: no blank lines, one
space before a comment, no comment at the end of a mapping. `$name` is filled in by `cli.stackfile.initialize`.
"""

HEAD = """\
# yaml-language-server: $$schema=stack.schema.json
#
# $what
# Written by `fatefed init $kind`; every key: README.md beside this file. Secrets come under fate:secrets, encrypted:
# `fatefed secrets init` makes the passwords and tells which certificates it wants from you.
config:
"""

# Between two parts; Pulumi would drop a blank line.
GAP = "  #\n"

ORGANIZATION = """\
  # Who owns this stack, its cluster and its keys.
  fate:organization: $organization
  #
  # The federation, in the same words in the stack of every member.
  fate:federation:
    name: $federation # what the members call it
    domain: $domain # ends every name in certificates and routes: <party id>.$domain
$id_line\
    topology: $topology # star: through an exchange; mesh: directly from party to party
    link: native # native: FATE's own proxies, as in clusters run with KubeFATE or FedLCM
"""

FEDERATION_ID = """\
    id: $id # made by who founded the federation, the same for every member: no other one has it
"""

CLUSTER = """\
  # Which Kubernetes cluster, and what this stack may do there.
  fate:cluster:
    context: $context # of the kubeconfig (see `kubectl config get-contexts`); absent: its current one
$ranges_line\
    scope: cluster # cluster: makes its namespaces itself; namespaced: nothing outside a namespace it is given
"""

CLUSTER_NAMESPACED = """\
  # Which Kubernetes cluster, and what this stack may do there. With scope namespaced it makes and reads no cluster-scoped
  # object: the administrator gives it a namespace and the published Role in it.
  fate:cluster:
    context: $context # of the kubeconfig (see `kubectl config get-contexts`); absent: its current one
$ranges_line\
    scope: namespaced # cluster: makes its namespaces itself
"""

# The cluster's own addresses: as they were asked for, or proposed.
RANGES = """\
    ranges: $ranges # of its pods, Services and nodes: no peer is at such an address
"""
NO_RANGES = """\
    # ranges: [10.244.0.0/16, 10.96.0.0/12] # write those of its pods, Services and nodes: no peer is at such an address
"""

PARTY = """\
  # The FATE clusters of this organization, by party id: unique in the federation, never changed afterwards.
  fate:parties:
    $party_id: # your party id, as agreed with the federation
      namespace: fate-$party # $namespace_note
      release: $release # of FATE
      computing: $computing # FATE's computing engine
      federation: $engine # FATE's federation engine: carries the data between parties
      storage: $storage # FATE's storage engine
$exchange_line\
$tls_line\
      persistence: {} # claims of the default storage class; or {storageClass: NAME}; or none: data is lost with the pod
      modules: # the optional ones are deployed when they are named; {}: sized by the release
        fateboard: {} # shows jobs and their results
        client: {} # notebook with FATE's client
$spark\
      publish: # what peers dial; its addresses go into this party's descriptor
"""

# Of engines whose links have TLS.
TLS_LINES = {
    "partyCa": """\
      tls: partyCa # a CA for this party's names only, which `fatefed trust init` makes; peers get it with the descriptor
""",
    "provided": """\
      tls: provided # certificates of the federation's CA, as KubeFATE and FedLCM use them; you give them in fate:secrets
""",
}
SERVING = """\
  # FATE-Serving of these parties, by party id. FATE-Flow publishes its models there; it is linked to the party of its id.
  fate:serving:
    $party_id: # the party above
      namespace: fate-serving-$party # of its own, made by `pulumi up`
      release: $serving_release # of FATE-Serving
      persistence: {} # as above; none: published models are lost with the pod
      # exchange: NAME # the peer below that is a serving exchange; without this line, requests go directly to peers
      adaptors: # where the features of a sample come from: Java classes in serving-server's image
        single: com.webank.ai.fate.serving.adaptor.dataaccess.HttpAdapter # for one sample
        batch: com.webank.ai.fate.serving.adaptor.dataaccess.MockBatchAdapter # for many; this one invents them: replace it
        url: http://features.$owner.example/v1/features # what HttpAdapter asks
      publish: # what peers dial; its address goes into the descriptor of this FATE-Serving
"""

PORTAL = """\
  # FedLCM's Site Portal of these parties, by party id: data, projects and jobs in a browser.
  fate:sitePortal:
    $party_id: # the party above
      namespace: fate-site-portal-$party # of its own, made by `pulumi up`
      release: $portal_release # of FedLCM
      # fmlManager: NAME # the peer below that is the federation's FML Manager; without this line there is none
      persistence: {} # as above; none: accounts, projects and uploaded data are lost with the pod
      publish: # what an FML Manager dials; its address goes into the descriptor of this Site Portal
"""

# Where no release has an image of Spark's workers.
SPARK_WORKER = """\
        spark:
          worker:
            image: # no worker with the Python of this release is published: build one, check it, and name it
              repository: registry.$owner.example/fate/spark-worker # registry, path and name
              tag: built-2024-01 # your own; or digest: sha256:..., which wins
"""

EXCHANGE_LINE = """\
      exchange: $exchange # the peer below that is the exchange of this party
"""

EXCHANGE = """\
  # The exchange of the federation. It carries routes and keeps no data.
  fate:exchange:
    namespace: fate-exchange # of its own, made by `pulumi up`
    release: $release # of FATE
"""

# By federation engine: what an exchange says before its modules and what it publishes. Pulsar is the default.
EXCHANGE_OF = {
    "Pulsar": """\
    modules: # what differs from the release
      trafficServer: # carries the data between parties, TLS from end to end
        image: # upstream publishes it without a version: mirror it, check it, and name your copy
          repository: registry.$owner.example/fate/trafficserver # registry, path and name
          tag: mirrored-2024-01 # your own; or digest: sha256:..., which wins
""",
    "Eggroll": """\
    federation: Eggroll # the parties' federation engine
""",
    "OSX": """\
    federation: OSX # the parties' federation engine
""",
}

EXCHANGE_PUBLISH = """\
    publish: # what members dial; its addresses go into the exchange's descriptor
"""

# What is published, by endpoint: what it carries, and the fixed ports of the example for clusters without load balancers.
# An engine's endpoints come in this order; the example is that of the last one. `$who`: peers, or members of an exchange.
ENDPOINTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pulsar": ("data, TLS", ()),
    "rabbitmq": ("data: AMQP without TLS", ()),
    "trafficServer": ("data, TLS", ()),
    "nginx": ("control: HTTP; $who dial it by IP address", ("httpPort: 30103",)),
    "rollsite": ("data and control: gRPC without TLS", ("port: 30091",)),
    "osx": ("data and control: gRPC without TLS", ("port: 30091",)),
    "servingProxy": ("requests for predictions: gRPC without TLS", ("port: 30096",)),
    "sitePortal": ("an FML Manager's calls: HTTPS, mutual TLS", ("port: 30843",)),
}

ENDPOINT = """\
$name: # $what
  $sources
  type: LoadBalancer # LoadBalancer | NodePort | ClusterIP
"""

# Who may connect: as it was asked for, or proposed.
SOURCES = "sourceRanges: $ranges # the addresses from which $who connect; anyone: no limit, on purpose"
NO_SOURCES = "# sourceRanges: [198.51.100.7/32] # the addresses from which $who connect; or: anyone. Until it is set, previews warn"

# Of parties whose peers have CAs of their own.
CLIENT_CERTIFICATES = """\
  clientCertificates: required # who dials has to show the certificate of an active peer; `optional`: anyone may read and write
"""

NODE_PORTS = """\
# Without load balancers: fixed node ports, and the address at which $who reach the nodes.
# $name:
#   type: NodePort
$ports\
#   advertise: {host: fate.$owner.example, addresses: [203.0.113.9]}
#   sourceRanges: anyone # node ports have none: networkPolicy.publishedFrom, or a firewall, says who connects
"""

PEERS = """\
  # Other organizations' parties and exchanges. A peer is pending, and gets no route, until you accept the descriptor
  # file that its owner sends: `fatefed peers add FILE` shows what it changes, then writes its sha256 and state here.
  fate:peers:
"""

NO_PEERS = """\
  # Other organizations' parties. A party gets its route when you accept the descriptor file that its owner sends:
  # `fatefed peers add FILE` shows what it changes, then writes it here.
  fate:peers: {} # none yet
"""

PEER = """\
    $peer: # $peer_note
      descriptor: peers/$peer_file.json # where the accepted file lies, from here
"""

PEER_BY_HAND = """\
  # The exchange, run with KubeFATE, FedLCM or AnsibleFATE, which know no descriptors: ask its operator for the addresses.
  # 192.0.2.10 stands for them here. The operator needs yours in return: `pulumi stack output endpoints`.
  fate:peers:
    $peer: # the exchange of party $party
      unsigned: true # typed by hand: nobody but you says that this is so
"""

# By federation engine: the addresses of an exchange.
ADDRESSES_BY_HAND = {
    "Pulsar": """\
      trafficServer: 192.0.2.10:443 # replace it: host and port of its Traffic Server
      nginx: 192.0.2.10:9300 # replace it: IP address and HTTP port of its nginx
""",
    "Eggroll": """\
      rollsite: 192.0.2.10:9370 # replace it: host and port of its rollsite
""",
    "OSX": """\
      osx: 192.0.2.10:9370 # replace it: host and port of its OSX
""",
}
