{{/*
Labels of every object of a module.
Call: {{- include "fate.labels" (list $ "nginx") | nindent 4 }}
*/}}
{{- define "fate.labels" -}}
{{- $root := index . 0 }}{{ $name := index . 1 -}}
{{- toYaml (mergeOverwrite (deepCopy $root.Values.labels) (include "fate.selector" . | fromYaml)
      (dict "app.kubernetes.io/component" $name)) }}
{{- end }}

{{/*
Labels of a workload and its pods: the only place of the version, which must never reach a selector or a claim.
Call: {{- include "fate.workloadLabels" (list $ "nginx") | nindent 4 }}
*/}}
{{- define "fate.workloadLabels" -}}
{{- $root := index . 0 -}}
{{- toYaml (mergeOverwrite (include "fate.labels" . | fromYaml) (dict "app.kubernetes.io/version" $root.Values.release)) }}
{{- end }}

{{/*
Labels of selectors; they can never change.
Call: {{- include "fate.selector" (list $ "nginx") | nindent 6 }}
*/}}
{{- define "fate.selector" -}}
app.kubernetes.io/instance: {{ (index . 0).Values.instance | quote }}
app.kubernetes.io/name: {{ index . 1 | quote }}
{{- end }}

{{/*
What every pod has in common, with a module's placement.
Call: {{- include "fate.pod" (list $ .Values.modules.nginx) | nindent 6 }}
*/}}
{{- define "fate.pod" -}}
{{- $root := index . 0 }}{{ $module := index . 1 -}}
automountServiceAccountToken: false
# Else every Service puts variables such as NGINX_PORT=tcp://... into every container.
enableServiceLinks: false
securityContext:
  seccompProfile:
    type: RuntimeDefault
  {{- with $module.security.runAsUser }}
  fsGroup: {{ int64 . }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $module.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $module.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
Image, resources and hardening of a container that runs a module's image.
Call: {{- include "fate.container" (list $ .Values.modules.nginx) | nindent 10 }}
*/}}
{{- define "fate.container" -}}
{{- $root := index . 0 }}{{ $module := index . 1 -}}
image: {{ $module.image | quote }}
imagePullPolicy: {{ $root.Values.imagePullPolicy }}
resources:
  {{- toYaml $module.resources | nindent 2 }}
securityContext:
  {{- with $module.security.runAsUser }}
  runAsUser: {{ int64 . }}
  runAsNonRoot: true
  {{- end }}
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
    {{- with $module.security.capabilities }}
    add: {{ toJson . }}
    {{- end }}
{{- end }}

{{/*
A module's extra environment variables, as list items.
Call: {{- include "fate.env" .Values.modules.nginx | nindent 12 }}
*/}}
{{- define "fate.env" -}}
{{- range $name, $value := .env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/*
The three probes: startup waits `startup` seconds at most, readiness asks the module itself, liveness only whether it still answers.
Call: {{- include "fate.probes" (dict "startup" 120 "ready" (dict "httpGet" (dict "path" "/" "port" "http"))
                                      "live" (dict "tcpSocket" (dict "port" "http"))) | nindent 10 }}
*/}}
{{- define "fate.probes" -}}
startupProbe:
  {{- toYaml .ready | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ div .startup 5 }}
readinessProbe:
  {{- toYaml .ready | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  {{- toYaml .live | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}
