{{/*
service_conf.yaml of FATE 2.x, which is validated with pydantic. Of each group only what this party has: FATE-Flow registers every
engine that is here. No route_table: whatever it says, FATE reads the tables beside this file.
Call: {{- include "fate.serviceConf2" . | nindent 4 }}
*/}}
{{- define "fate.serviceConf2" -}}
# A text: FATE 2.x compares it with texts.
party_id: {{ .Values.partyId | quote }}
use_registry: {{ if dig "zookeeper" dict (.Values.servings | default dict) }}true{{ else }}false{{ end }}
log_level: 20
encrypt:
  key_0:
    module: fate_flow.hub.encrypt.password_encrypt#pwdecrypt
    private_path: private_key.pem
fateflow:
  # The pod's own address: executors and tasks call it.
  host: '${POD_IP}'
  http_port: {{ int64 .Values.ports.fateflowHttp }}
  grpc_port: {{ int64 .Values.ports.fateflowGrpc }}
  proxy_name: {{ .Values.engines.proxy }}
  nginx:
    host:
    http_port:
    grpc_port:
database:
  engine: mysql
  decrypt_key:
  mysql:
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
default_provider:
  name: fate
  version:
  device: local
computing:
  {{- with .Values.eggroll }}
  eggroll:
    cores: {{ mul (int64 .processorsPerNode) (int64 .nodes) }}
    nodes: {{ int64 .nodes }}
    host: clustermanager
    port: {{ int64 $.Values.ports.clustermanager }}
  {{- end }}
  {{- with .Values.spark }}
  spark:
    home: /data/projects/spark-3.1.3-bin-hadoop3.2/
    cores: {{ mul (int64 .coresPerWorker) (int64 .workers) }}
  {{- end }}
  {{- with .Values.standalone }}
  standalone:
    cores: {{ int64 .cores }}
  {{- end }}
federation:
  {{- if .Values.modules.osx }}
  osx:
    host: osx
    port: {{ int64 .Values.ports.osx }}
    mode: {{ .Values.engines.osxMode }}
  {{- end }}
  {{- with .Values.pulsar }}
  pulsar:
    host: {{ .host | toJson }}
    port: {{ int64 .port }}
    mng_port: {{ int64 .managementPort }}
    cluster: {{ .cluster | toJson }}
    tenant: {{ .tenant | toJson }}
    topic_ttl: {{ int64 .topicTtlMinutes }}
    mode: replication
    max_message_size: 1048576
  {{- end }}
  {{- with .Values.rabbitmq }}
  rabbitmq:
    host: {{ .host | toJson }}
    mng_port: {{ int64 .managementPort }}
    port: {{ int64 .port }}
    user: {{ .user | toJson }}
    password: '${RABBITMQ_PASSWORD}'
    mode: replication
    max_message_size: 1048576
  {{- end }}
  {{- if .Values.modules.nginx }}
  nginx:
    host: nginx
    http_port: {{ int64 .Values.ports.nginxHttp }}
    grpc_port: {{ int64 .Values.ports.nginxGrpc }}
    protocol: http
  {{- end }}
storage:
  {{- with .Values.hdfs }}
  hdfs:
    name_node: {{ .nameNode }}
  {{- else }} {}
  {{- end }}
hook_module:
  client_authentication: fate_flow.hook.flow.client_authentication
  site_authentication: fate_flow.hook.flow.site_authentication
  permission: fate_flow.hook.flow.permission
authentication:
  client: false
  site: false
  permission: false
model_store:
  engine: file
  decrypt_key:
  file:
    path:
{{ include "fate.servings" (list $ list) }}
{{- end }}
