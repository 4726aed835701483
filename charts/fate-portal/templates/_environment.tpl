{{/*
How both programs reach their database, as list items.
Call: {{- include "fate.portal.database" $ | nindent 12 }}
*/}}
{{- define "fate.portal.database" -}}
{{- with .Values.database -}}
- name: POSTGRES_HOST
  value: {{ .host | quote }}
- name: POSTGRES_PORT
  value: {{ int64 .port | quote }}
- name: POSTGRES_DB
  value: {{ .name | quote }}
- name: POSTGRES_USER
  value: {{ .user | quote }}
- name: POSTGRES_SSLMODE
  value: {{ .sslMode | quote }}
- name: POSTGRES_PASSWORD
  valueFrom:
    secretKeyRef:
      {{- toYaml .password | nindent 6 }}
{{- end }}
{{- end }}

{{/*
The certificates that a program shows and trusts, as list items: when it is called, and when it calls.
Call: {{- include "fate.portal.tls" (list "SITEPORTAL" "/var/lib/site-portal/cert" .Values.ports.sitePortalServer) | nindent 12 }}
*/}}
{{- define "fate.portal.tls" -}}
{{- $name := index . 0 }}{{ $folder := index . 1 -}}
- name: {{ $name }}_TLS_ENABLED
  value: "true"
- name: {{ $name }}_TLS_PORT
  value: {{ int64 (index . 2) | quote }}
{{- range $variable, $file := dict "SERVER_CERT" "server.crt" "SERVER_KEY" "server.key" "CLIENT_CERT" "client.crt"
                                    "CLIENT_KEY" "client.key" "CA_CERT" "ca.crt" }}
- name: {{ $name }}_TLS_{{ $variable }}
  value: {{ $folder }}/{{ $file }}
{{- end }}
{{- end }}
