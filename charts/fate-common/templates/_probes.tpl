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
