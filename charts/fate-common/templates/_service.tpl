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
