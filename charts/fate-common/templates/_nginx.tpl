{{/*
nginx, by which FATE-Flows of partners call each other: its configuration, its start, and which calls it passes on.
Call: {{- include "fate.nginx.config" . }} in nginx/config.yaml, whose checksum the Deployment has.
*/}}
{{- define "fate.nginx.config" -}}
{{- if .Values.modules.nginx }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: nginx-config
  labels:
    {{- include "fate.labels" (list $ "nginx") | nindent 4 }}
data:
  nginx.conf: |
    {{- include "fate.file" (list $ "nginx.conf") | nindent 4 }}
  partner-calls.conf: |
    map "$request_method $request_uri" $partner_call {
        default 0;
        {{- range .Values.partnerCalls }}
        "~^{{ . | replace "*" "[\\w-][\\w.-]*" }}$" 1;
        {{- end }}
    }
  start.sh: |
    {{- include "fate.file" (list $ "nginx-start.sh") | nindent 4 }}
{{- end }}
{{- end }}

{{/*
Its Deployment; a second item: the ConfigMap of its route table.
Call: {{- include "fate.nginx.deployment" (list . .Values.routes.nginx) }}
*/}}
{{- define "fate.nginx.deployment" -}}
{{- $root := index . 0 }}{{ $routes := index . 1 -}}
{{- with $module := $root.Values.modules.nginx }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx
  labels:
    {{- include "fate.workloadLabels" (list $root "nginx") | nindent 4 }}
spec:
  replicas: {{ int64 $module.replicas }}
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "fate.selector" (list $root "nginx") | nindent 6 }}
  template:
    metadata:
      {{- $sum := include (print $root.Template.BasePath "/nginx/config.yaml") $root | sha256sum }}
      {{- include "fate.podMetadata" (list $root $module "nginx" (dict "checksum/config" $sum)) | nindent 6 }}
    spec:
      {{- include "fate.pod" (list $root $module "nginx") | nindent 6 }}
      terminationGracePeriodSeconds: 30
      containers:
        - name: nginx
          {{- include "fate.container" (list $root $module) | nindent 10 }}
          command: [sh, /config/start.sh]
          {{- with $module.env }}
          env:
            {{- include "fate.env" $module | nindent 12 }}
          {{- end }}
          ports:
            - name: http
              containerPort: {{ int64 $root.Values.ports.nginxHttp }}
            - name: health
              containerPort: {{ int64 $root.Values.ports.nginxHealth }}
          {{- $test := dict "httpGet" (dict "path" "/test" "port" "health") }}
          {{- include "fate.probes" (dict "startup" 60 "ready" $test "live" $test) | nindent 10 }}
          volumeMounts:
            - name: config
              mountPath: /config
            - name: config
              mountPath: /data/projects/fate/proxy/nginx/conf/nginx.conf
              subPath: nginx.conf
            # A directory, so that kubelet refreshes it: the router reads it every five seconds.
            - name: routes
              mountPath: /data/projects/fate/proxy/nginx/conf/modifiable
            - name: logs
              mountPath: /data/projects/fate/proxy/nginx/logs
            - name: tmp
              mountPath: /tmp
            {{- include "fate.mounts" $module | nindent 12 }}
      volumes:
        - name: config
          configMap:
            name: nginx-config
        - name: routes
          configMap:
            name: {{ $routes }}
        - name: logs
          emptyDir: {}
        - name: tmp
          emptyDir: {}
        {{- include "fate.volumes" (list $module) | nindent 8 }}
{{- end }}
{{- end }}
