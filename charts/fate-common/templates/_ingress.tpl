{{/*
An Ingress for each console that browsers reach by a name of its own.
Call: {{- include "fate.ingresses" . }}
*/}}
{{- define "fate.ingresses" -}}
{{- with $boards := .Values.boards }}
{{- range $boards.consoles }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .object }}
  labels:
    {{- include "fate.labels" (list $ .component) | nindent 4 }}
  annotations:
    # Its controller may never say where it is reached, and nothing waits for that.
    {{- toYaml (mergeOverwrite (dict "pulumi.com/skipAwait" "true") .annotations) | nindent 4 }}
spec:
  {{- with $boards.className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  {{- if $boards.tlsSecret }}
  tls:
    - secretName: {{ $boards.tlsSecret | quote }}
      hosts: [{{ .host | quote }}]
  {{- end }}
  rules:
    - host: {{ .host | quote }}
      http:
        paths:
          - path: {{ .path | quote }}
            pathType: Prefix
            backend:
              service:
                name: {{ .service }}
                port:
                  number: {{ int64 .port }}
{{- end }}
{{- end }}
{{- end }}
