{{/*
OSX, by which parties of FATE 2.x exchange data: its configuration.
Call: {{- include "fate.osx.config" . }} in osx/config.yaml, whose checksum the Deployment has.
*/}}
{{- define "fate.osx.config" -}}
{{- if .Values.modules.osx }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: osx-config
  labels:
    {{- include "fate.labels" (list $ "osx") | nindent 4 }}
data:
  log4j2.properties: |
    {{- include "fate.file" (list $ "log4j2.properties") | nindent 4 }}
  # Which party this is says self_party in route_table.json; nobody reads self.party here.
  broker.properties: |
    grpc.port={{ int64 .Values.ports.osx }}
    open.http.server=false
    deploy.mode=standalone
    mapped.file.dir=/data/projects/fate/osx/mapped
    {{- with .Values.ports.clustermanager }}
    eggroll.cluster.manager.ip=clustermanager
    eggroll.cluster.manager.port={{ int64 . }}
    {{- end }}
{{- end }}
{{- end }}

{{/*
Its Deployment; a second item: the ConfigMap of its route table.
Call: {{- include "fate.osx.deployment" (list . .Values.routes.osx) }}
*/}}
{{- define "fate.osx.deployment" -}}
{{- $root := index . 0 }}{{ $routes := index . 1 -}}
{{- with $module := $root.Values.modules.osx }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: osx
  labels:
    {{- include "fate.workloadLabels" (list $root "osx") | nindent 4 }}
spec:
  replicas: {{ int64 $module.replicas }}
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "fate.selector" (list $root "osx") | nindent 6 }}
  template:
    metadata:
      {{- $sum := include (print $root.Template.BasePath "/osx/config.yaml") $root | sha256sum }}
      {{- include "fate.podMetadata" (list $root $module "osx" (dict "checksum/config" $sum)) | nindent 6 }}
    spec:
      {{- include "fate.pod" (list $root $module "osx") | nindent 6 }}
      terminationGracePeriodSeconds: 30
      containers:
        - name: osx
          {{- include "fate.container" (list $root $module) | nindent 10 }}
          workingDir: /data/projects/fate/osx
          # The image's own command names a class that it does not have. pb_lib is there since 2.1.
          command:
            - java
            - -Dlog4j.configurationFile=/config/log4j2.properties
            {{- with $module.heapMib }}
            - -Xmx{{ int64 . }}m
            {{- end }}
            - -XX:MaxDirectMemorySize={{ int64 $root.Values.osx.directMib }}m
            - -cp
            - conf/broker/:lib/*:extension/*:pb_lib/v3/*
            - org.fedai.osx.broker.Bootstrap
            - -c
            - /data/projects/fate/osx/conf
          {{- with $module.env }}
          env:
            {{- include "fate.env" $module | nindent 12 }}
          {{- end }}
          ports:
            - name: grpc
              containerPort: {{ int64 $root.Values.ports.osx }}
          {{- $grpc := dict "tcpSocket" (dict "port" "grpc") }}
          {{- include "fate.probes" (dict "startup" 120 "ready" $grpc "live" $grpc) | nindent 10 }}
          volumeMounts:
            - name: config
              mountPath: /config
            # A directory, so that kubelet refreshes it: OSX looks every 3 s whether the table has another time.
            - name: broker
              mountPath: /data/projects/fate/osx/conf/broker
            # Messages on their way, in mode queue; a restarted broker begins anew.
            - name: mapped
              mountPath: /data/projects/fate/osx/mapped
            {{- include "fate.mounts" $module | nindent 12 }}
      volumes:
        - name: config
          configMap:
            name: osx-config
            items:
              - {key: log4j2.properties, path: log4j2.properties}
        - name: broker
          projected:
            sources:
              - configMap:
                  name: osx-config
                  items:
                    - {key: broker.properties, path: broker.properties}
              - configMap:
                  name: {{ $routes }}
        - name: mapped
          emptyDir: {}
        {{- include "fate.volumes" (list $module) | nindent 8 }}
{{- end }}
{{- end }}
