{{/*
Annotations of pods that read passwords: a password that becomes another entry of fate:secrets restarts them. Never its value, nor a hash.
Call: {{- include "fate.passwords" (list $ "mysql" "rabbitmq") | fromYaml }}
*/}}
{{- define "fate.passwords" -}}
{{- $passwords := (index . 0).Values.passwords }}
{{- range $slot := rest . }}
{{- with get $passwords $slot }}
federation.fate/{{ $slot }}-password: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
