{{/*
rollsite, by which parties with Eggroll exchange data. Further items: whose configuration it reads (folder of config.yaml, and name of its
ConfigMap without -config), and the ConfigMap of its route table.
Call: {{- include "fate.rollsite.deployment" (list . "eggroll" .Values.routes.rollsite) }}
*/}}
{{- define "fate.rollsite.deployment" -}}
{{- $root := index . 0 }}{{ $config := index . 1 }}{{ $routes := index . 2 -}}
{{- with $module := $root.Values.modules.rollsite }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: rollsite
  labels:
    {{- include "fate.workloadLabels" (list $root "rollsite") | nindent 4 }}
spec:
  replicas: {{ int64 $module.replicas }}
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "fate.selector" (list $root "rollsite") | nindent 6 }}
  template:
    metadata:
      {{- $sum := include (printf "%s/%s/config.yaml" $root.Template.BasePath $config) $root | sha256sum }}
      {{- include "fate.podMetadata" (list $root $module "rollsite" (dict "checksum/config" $sum)) | nindent 6 }}
    spec:
      # An entry for itself, if the table has one, names rollsite.
      {{- $itself := dict "ip" "127.0.0.1" "hostnames" (list "rollsite") }}
      {{- include "fate.pod" (list $root $module "rollsite" (list $itself)) | nindent 6 }}
      terminationGracePeriodSeconds: 30
      containers:
        - name: rollsite
          {{- include "fate.container" (list $root $module) | nindent 10 }}
          workingDir: /data/projects/fate/eggroll
          command:
            - java
            - -Dlog4j.configurationFile=/config/log4j2.properties
            {{- with $module.heapMib }}
            - -Xmx{{ int64 . }}m
            {{- end }}
            - -cp
            - /data/projects/fate/eggroll/lib/*:/data/projects/fate/eggroll/conf/
            - com.webank.eggroll.rollsite.EggSiteBootstrap
            - -c
            - /data/projects/fate/eggroll/conf/eggroll.properties
          {{- with $module.env }}
          env:
            {{- include "fate.env" $module | nindent 12 }}
          {{- end }}
          ports:
            - name: grpc
              containerPort: {{ int64 $root.Values.ports.rollsite }}
          {{- $grpc := dict "tcpSocket" (dict "port" "grpc") }}
          {{- include "fate.probes" (dict "startup" 120 "ready" $grpc "live" $grpc) | nindent 10 }}
          volumeMounts:
            - name: config
              mountPath: /config
            - name: config
              mountPath: /data/projects/fate/eggroll/conf/eggroll.properties
              subPath: eggroll.properties
            # A directory, so that kubelet refreshes it: rollsite reads it again every minute.
            - name: routes
              mountPath: /data/projects/fate/eggroll/conf/route_table
            {{- include "fate.mounts" $module | nindent 12 }}
      volumes:
        - name: config
          configMap:
            name: {{ $config }}-config
        - name: routes
          configMap:
            name: {{ $routes }}
        {{- include "fate.volumes" (list $module) | nindent 8 }}
{{- end }}
{{- end }}

{{/*
Lines of eggroll.properties that rollsite reads: whose it is, and its port.
Call: {{- include "fate.rollsite.properties" (list $ $ports.rollsite $.Values.partyId) }}
*/}}
{{- define "fate.rollsite.properties" -}}
eggroll.rollsite.coordinator={{ (index . 0).Values.instance }}
eggroll.rollsite.host=rollsite
eggroll.rollsite.port={{ int64 (index . 1) }}
eggroll.rollsite.party.id={{ index . 2 }}
eggroll.rollsite.route.table.path=conf/route_table/route_table.json
eggroll.rollsite.route.table.key=
eggroll.rollsite.route.table.whitelist=127.0.0.1
eggroll.rollsite.jvm.options=
eggroll.rollsite.push.max.retry=3
eggroll.rollsite.push.long.retry=2
eggroll.rollsite.push.batches.per.stream=10
eggroll.rollsite.adapter.sendbuf.size=100000
{{- end }}
