{{/*
Init containers that correct files of a module's image. Arguments of a container are expanded by kubelet, so $ is written twice.
Call: {{- include "fate.patchContainers" (list $ "fateflow" "/config/patch.sh" "config") | nindent 8 }}: the script, and its volume.
*/}}
{{- define "fate.patchContainers" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $script := index . 2 }}{{ $volume := index . 3 -}}
{{- range $number, $patch := $root.Values.imagePatches }}
{{- if eq $patch.module $name }}
- name: patch-{{ $number }}
  {{- include "fate.container" (list $root (index $root.Values.modules $name)) | nindent 2 }}
  command:
    - sh
    - {{ $script }}
    - {{ $patch.file | quote }}
    - /patched/{{ $number }}
    {{- range $patch.edits }}
    - {{ .find | replace "$" "$$" | quote }}
    - {{ .replace | replace "$" "$$" | quote }}
    {{- end }}
  volumeMounts:
    - name: {{ $volume }}
      mountPath: {{ dir $script }}
    - name: patched
      mountPath: /patched
{{- end }}
{{- end }}
{{- end }}

{{/*
Where the corrected files lie over the image's own, and the volume that holds them. Nothing for a module without a patch.
Call: {{- include "fate.patchMounts" (list $ "fateflow") | nindent 12 }} and {{- include "fate.patchVolume" (list $ "fateflow") | nindent 8 }}
*/}}
{{- define "fate.patchMounts" -}}
{{- $name := index . 1 -}}
{{- range $number, $patch := (index . 0).Values.imagePatches }}
{{- if eq $patch.module $name }}
- name: patched
  mountPath: {{ $patch.file | quote }}
  subPath: {{ $number | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "fate.patchVolume" -}}
{{- $name := index . 1 }}{{ $found := false -}}
{{- range (index . 0).Values.imagePatches }}{{ if eq .module $name }}{{ $found = true }}{{ end }}{{ end }}
{{- if $found }}
- name: patched
  emptyDir: {}
{{- end }}
{{- end }}
