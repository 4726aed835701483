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
