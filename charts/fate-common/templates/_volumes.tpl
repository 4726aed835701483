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
