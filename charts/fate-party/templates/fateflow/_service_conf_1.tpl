{{/*
service_conf.yaml of FATE 1.x.
Call: {{- include "fate.serviceConf1" . | nindent 4 }}
*/}}
{{- define "fate.serviceConf1" -}}
use_registry: {{ if dig "zookeeper" dict (.Values.servings | default dict) }}true{{ else }}false{{ end }}
use_deserialize_safe_module: false
dependent_distribution: {{ dig "dependentDistribution" false (.Values.spark | default dict) }}
encrypt_password: false
encrypt_module: fate_arch.common.encrypt_utils#pwdecrypt
private_key:
private_key_file:
# A number, without quotes: FATE 1.x compares it with numbers. Before 1.11.2 KubeFATE left it empty.
party_id:{{ if .Values.partyIdInConfig }} {{ .Values.partyId }}{{ end }}
hook_module:
  client_authentication: fate_flow.hook.flow.client_authentication
  site_authentication: fate_flow.hook.flow.site_authentication
  permission: fate_flow.hook.flow.permission
hook_server_name:
authentication:
  client:
    switch: false
    http_app_key:
    http_secret_key:
  site:
    switch: false
permission: {switch: false, component: false, dataset: false}
fateflow:
  # The pod's own address: executors and tasks call it.
  host: '${POD_IP}'
  http_port: {{ int64 .Values.ports.fateflowHttp }}
  grpc_port: {{ int64 .Values.ports.fateflowGrpc }}
  nginx:
    host: fateflow
    http_port: {{ int64 .Values.ports.fateflowHttp }}
    grpc_port: {{ int64 .Values.ports.fateflowGrpc }}
  random_instance_id: false
  proxy: {{ .Values.engines.proxy }}
  protocol: default
  default_federated_status_collect_type: PULL
database:
  name: {{ .Values.database.name | toJson }}
  user: {{ .Values.database.user | toJson }}
  passwd: '${MYSQL_PASSWORD}'
  host: {{ .Values.database.host | toJson }}
  port: {{ int64 .Values.database.port }}
  max_connections: 100
  stale_timeout: 30
default_engines:
  computing: {{ .Values.engines.computing }}
  federation: {{ .Values.engines.federation }}
  storage: {{ .Values.engines.storage }}
# Of each group only what this party has: FATE-Flow registers every engine that is here.
fate_on_standalone:
  standalone:
    cores_per_node: 20
    nodes: 1
fate_on_eggroll:
  {{- if not (or .Values.eggroll .Values.modules.rollsite) }} {}{{ end }}
  {{- with .Values.eggroll }}
  clustermanager:
    cores_per_node: {{ int64 .processorsPerNode }}
    nodes: {{ int64 .nodes }}
  {{- end }}
  {{- if .Values.modules.rollsite }}
  rollsite:
    host: rollsite
    port: {{ int64 .Values.ports.rollsite }}
  {{- end }}
fate_on_spark:
  {{- if not (or .Values.spark .Values.rabbitmq .Values.pulsar .Values.modules.nginx) }} {}{{ end }}
  {{- with .Values.spark }}
  spark:
    home: /data/projects/spark-3.1.3-bin-hadoop3.2/
    cores_per_node: {{ int64 .coresPerWorker }}
    nodes: {{ int64 .workers }}
  {{- end }}
  {{- with .Values.hdfs }}
  hdfs:
    name_node: {{ .nameNode }}
    path_prefix: {{ .pathPrefix }}
  {{- end }}
  {{- with .Values.rabbitmq }}
  rabbitmq:
    host: {{ .host | toJson }}
    mng_port: {{ int64 .managementPort }}
    port: {{ int64 .port }}
    user: {{ .user | toJson }}
    password: '${RABBITMQ_PASSWORD}'
    route_table: conf/rabbitmq_route_table/rabbitmq_route_table.yaml
    mode: replication
    max_message_size: 1048576
  {{- end }}
  {{- with .Values.pulsar }}
  pulsar:
    host: {{ .host | toJson }}
    port: {{ int64 .port }}
    mng_port: {{ int64 .managementPort }}
    topic_ttl: {{ int64 .topicTtlMinutes }}
    cluster: {{ .cluster | toJson }}
    tenant: {{ .tenant | toJson }}
    route_table: conf/pulsar_route_table/pulsar_route_table.yaml
    mode: replication
    max_message_size: 1048576
  {{- end }}
  {{- if .Values.modules.nginx }}
  nginx:
    host: nginx
    http_port: {{ int64 .Values.ports.nginxHttp }}
    grpc_port: {{ int64 .Values.ports.nginxGrpc }}
  {{- end }}
fateboard:
  host: fateboard
  port: {{ int64 .Values.ports.fateboard }}
enable_model_store: false
model_store_address:
  storage: tencent_cos
  Region:
  SecretId:
  SecretKey:
  Bucket:
{{ include "fate.servings" (list $ (list "")) }}
{{- end }}
