{{/* The same file in every chart: tests/charts compares the copies. */}}

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
Metadata of a module's pods: labels, the chart's own annotations (checksums) and the operator's.
Call: {{- include "fate.podMetadata" (list $ $module "nginx" (dict "checksum/config" $sum)) | nindent 6 }}
*/}}
{{- define "fate.podMetadata" -}}
{{- $module := index . 1 -}}
labels:
  {{- include "fate.workloadLabels" (list (index . 0) (index . 2)) | nindent 2 }}
{{- with merge (dict) (index . 3) ($module.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
What every pod has in common, with a module's placement. A fourth item: host aliases that the module needs itself.
Call: {{- include "fate.pod" (list $ $module "nginx") | nindent 6 }}
*/}}
{{- define "fate.pod" -}}
{{- $root := index . 0 }}{{ $module := index . 1 }}{{ $name := index . 2 -}}
automountServiceAccountToken: {{ $module.automountServiceAccountToken | default false }}
{{- with $module.serviceAccountName }}
serviceAccountName: {{ . | quote }}
{{- end }}
# Else a Service called mysql puts MYSQL_PORT=tcp://... into every container.
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
{{- range $key := list "priorityClassName" "runtimeClassName" }}
{{- with index $module $key }}
{{ $key }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with index $module $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with $module.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $own := dict "matchLabels" (include "fate.selector" (list $root $name) | fromYaml) }}
  {{- range . }}
  - {{- toYaml (hasKey . "labelSelector" | ternary . (set (deepCopy .) "labelSelector" $own)) | nindent 4 }}
  {{- end }}
{{- end }}
{{- $aliases := $module.hostAliases | default list }}
{{- if gt (len .) 3 }}
{{- $aliases = concat (index . 3) $aliases }}
{{- end }}
{{- with $aliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
Image, resources and hardening of a container that runs a module's image.
Call: {{- include "fate.container" (list $ $module) | nindent 10 }}
*/}}
{{- define "fate.container" -}}
{{- $root := index . 0 }}{{ $module := index . 1 -}}
image: {{ $module.image | quote }}
imagePullPolicy: {{ $module.imagePullPolicy | default $root.Values.imagePullPolicy }}
resources:
  {{- toYaml $module.resources | nindent 2 }}
securityContext:
  {{- with $module.security.runAsUser }}
  runAsUser: {{ int64 . }}
  runAsNonRoot: true{{ end }}
  allowPrivilegeEscalation: false
  {{- if $module.security.readOnlyRoot }}
  readOnlyRootFilesystem: true{{ end }}
  capabilities:
    drop: [ALL]
    {{- with $module.security.capabilities }}
    add: {{ toJson . }}
    {{- end }}
{{- end }}

{{/*
A module's extra environment variables, as list items, for its main container.
Call: {{- include "fate.env" $module | nindent 12 }}
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

{{/*
The operator's extra mounts, as list items, for a module's main container.
Call: {{- include "fate.mounts" $module | nindent 12 }}
*/}}
{{- define "fate.mounts" -}}
{{- range $name, $volume := .volumes }}
- name: extra-{{ $name }}
  {{- toYaml (pick $volume "mountPath" "subPath" "readOnly") | nindent 2 }}
{{- end }}
{{- end }}

{{/*
A module's volumes beside the chart's own, as list items: the operator's, and with a name its data without a claim template.
Call: {{- include "fate.volumes" (list $module "data") | nindent 8 }}
*/}}
{{- define "fate.volumes" -}}
{{- $module := index . 0 }}
{{- range rest . }}
{{- if $module.existingClaim }}
- name: {{ . }}
  persistentVolumeClaim:
    claimName: {{ $module.existingClaim | quote }}
{{- else if not $module.claim }}
- name: {{ . }}
  emptyDir: {}
{{- end }}
{{- end }}
{{- range $name, $volume := $module.volumes }}
- name: extra-{{ $name }}
  {{- toYaml (omit $volume "mountPath" "subPath" "readOnly") | nindent 2 }}
{{- end }}
{{- end }}

{{/*
What happens to a StatefulSet's claims (nothing, ever) and their template. A claim template is immutable: no labels of ours.
Call: {{- include "fate.claims" (list $module "data") | nindent 2 }}
*/}}
{{- define "fate.claims" -}}
persistentVolumeClaimRetentionPolicy:
  whenDeleted: Retain
  whenScaled: Retain
{{- with (index . 0).claim }}
volumeClaimTemplates:
  - metadata:
      name: {{ index $ 1 }}
    spec:
      accessModes: [{{ .accessMode | quote }}]
      {{- with .storageClass }}
      storageClassName: {{ . | quote }}
      {{- end }}
      resources:
        requests:
          storage: {{ .size | quote }}
{{- end }}
{{- end }}

{{/*
A Service of a module. `ports`: name, number, container port. `settings`: the operator's. An awaited one would cost Pulumi 10 s.
Call: {{- include "fate.service" (dict "root" $ "name" "notebook" "module" "client" "settings" $module.service
                                       "ports" (list (list "tcp-notebook" .Values.ports.notebook "notebook"))) }}
*/}}
{{- define "fate.service" -}}
{{- $settings := .settings | default dict -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  labels:
    {{- include "fate.labels" (list .root .module) | nindent 4 }}
  annotations:
    {{- toYaml (merge (dict "pulumi.com/skipAwait" "true") ($settings.annotations | default dict)) | nindent 4 }}
spec:
  {{- if .headless }}
  clusterIP: None
  {{- end }}
  {{- range $key := list "type" "loadBalancerIP" }}
  {{- with index $settings $key }}
  {{ $key }}: {{ . | quote }}
  {{- end }}
  {{- end }}
  {{- with $settings.sourceRanges }}
  loadBalancerSourceRanges: {{ toJson . }}
  {{- end }}
  selector:
    {{- include "fate.selector" (list .root .module) | nindent 4 }}
  ports:
    {{- range .ports }}
    - name: {{ index . 0 }}
      port: {{ int64 (index . 1) }}
      targetPort: {{ index . 2 }}
      {{- with index ($settings.nodePorts | default dict) (index . 0) }}
      nodePort: {{ int64 . }}
      {{- end }}
    {{- end }}
{{- end }}
