{{/*
A file of this chart, which the charts that carry it do not see as their own. Helm 3.7 and later.
Call: {{- include "fate.file" (list $ "fill.sh") | nindent 4 }}
*/}}
{{- define "fate.file" -}}
{{- (index (index . 0).Subcharts "fate-common").Files.Get (print "files/" (index . 1)) }}
{{- end }}
