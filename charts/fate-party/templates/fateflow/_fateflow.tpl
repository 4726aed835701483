{{/*
The init container that makes FATE-Flow's configuration folder: the image's files, ours with their passwords, and for FATE 2.x, which reads
route tables from this folder only, links into the mounted ones, so that they change with them.
Call: {{- include "fate.fillFateflow" . | nindent 8 }}
*/}}
{{- define "fate.fillFateflow" -}}
- name: fill
  {{- include "fate.container" (list $ .Values.modules.fateflow) | nindent 2 }}
  command:
    - sh
    - -euc
    - |
      cp -R /data/projects/fate/{{ .Values.layout.fateflow.conf }}/. /filled/
      sh /config/fill.sh /config/service_conf.yaml /filled/service_conf.yaml
      {{- if .Values.spark }}
      sh /config/fill.sh /config/spark-defaults.conf /filled/spark-defaults.conf
      {{- end }}
      {{- if eq .Values.layout.fateflow.routes "links" }}
      {{- range $engine := pick .Values.routes "pulsar" "rabbitmq" | keys | sortAlpha }}
      ln -sf /routes/{{ $engine }}/{{ $engine }}_route_table.yaml /filled/{{ $engine }}_route_table.yaml
      {{- end }}
      {{- end }}
  env:
    - name: POD_IP
      valueFrom: {fieldRef: {fieldPath: status.podIP}}
    {{- include "fate.fateflowPasswords" . | nindent 4 }}
  volumeMounts:
    - name: config
      mountPath: /config
    - name: conf
      mountPath: /filled
{{- end }}

{{/*
PYTHONPATH of what runs tasks, where the image's own is not enough; gives way to the module's own. A list item, or nothing.
Call: {{- include "fate.pythonPath" (list $ .Values.modules.fateflow) | nindent 12 }}
*/}}
{{- define "fate.pythonPath" -}}
{{- $root := index . 0 }}{{ $module := index . 1 -}}
{{- with $root.Values.layout.pythonPath }}{{ if not (hasKey $module.env "PYTHONPATH") -}}
- name: PYTHONPATH
  value: /data/projects/fate/{{ join ":/data/projects/fate/" . }}
{{- end }}{{ end }}
{{- end }}

{{/*
The passwords that service_conf.yaml asks for, as list items of an environment.
Call: {{- include "fate.fateflowPasswords" . | nindent 12 }}
*/}}
{{- define "fate.fateflowPasswords" -}}
{{- $passwords := dict "MYSQL_PASSWORD" .Values.database.password }}
{{- with .Values.rabbitmq }}{{ $_ := set $passwords "RABBITMQ_PASSWORD" .password }}{{ end }}
{{- with dig "zookeeper" "password" dict (.Values.servings | default dict) }}{{ $_ := set $passwords "ZOOKEEPER_PASSWORD" . }}{{ end }}
{{- range $name, $password := $passwords }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      {{- toYaml $password | nindent 6 }}
{{- end }}
{{- end }}

{{/*
The end of service_conf.yaml: where models are published. `use_registry` says whether FATE-Flow asks zookeeper for it.
Call: {{- include "fate.servings" (list $ (list "")) }}
*/}}
{{- define "fate.servings" -}}
{{- $servings := (index . 0).Values.servings | default dict }}
{{- $zookeeper := $servings.zookeeper | default dict -}}
servings:
  hosts: {{ $servings.hosts | default (index . 1) | toJson }}
zookeeper:
  hosts: {{ $zookeeper.hosts | default (list "127.0.0.1:2181") | toJson }}
  use_acl: {{ if $zookeeper.user }}true{{ else }}false{{ end }}
  user:{{ with $zookeeper.user }} {{ . | toJson }}{{ end }}
  password:{{ if $zookeeper.user }} '${ZOOKEEPER_PASSWORD}'{{ end }}
{{- end }}
