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
