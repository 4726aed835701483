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
