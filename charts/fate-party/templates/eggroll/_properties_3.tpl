{{/*
eggroll.properties of Eggroll 3, as every pod reads it. No key may be named in a comment: Eggroll's scripts look for keys with grep. The
dashboard, a program of its own with a password of its own, is not deployed.
Call: {{- include "fate.eggroll3" $ | nindent 4 }}
*/}}
{{- define "fate.eggroll3" -}}
{{- $ports := .Values.ports -}}
[eggroll]
eggroll.resourcemanager.clustermanager.jdbc.driver.class.name=com.mysql.cj.jdbc.Driver
eggroll.resourcemanager.clustermanager.jdbc.url=jdbc:mysql://{{ .Values.database.host }}:{{ int64 .Values.database.port }}/{{ .Values.database.name }}?useSSL=false&serverTimezone=UTC&characterEncoding=utf8&allowPublicKeyRetrieval=true
eggroll.resourcemanager.clustermanager.jdbc.username={{ .Values.database.user }}
eggroll.resourcemanager.clustermanager.host=clustermanager
eggroll.resourcemanager.clustermanager.port={{ int64 $ports.clustermanager }}
eggroll.resourcemanager.nodemanager.port={{ int64 $ports.nodemanager }}
eggroll.resourcemanager.nodemanager.net.device=eth0
eggroll.resourcemanager.nodemanager.gpu.num.shell=nvidia.sh
eggroll.resourcemanager.process.tag={{ .Values.partyId }}
eggroll.data.dir=/data/projects/fate/eggroll/data/
eggroll.logs.dir=/data/projects/fate/eggroll/logs/
eggroll.bootstrap.root.script=bin/eggroll_boot.sh
eggroll.resourcemanager.bootstrap.egg_pair.exepath=bin/roll_pair/egg_pair_bootstrap.sh
eggroll.resourcemanager.bootstrap.egg_pair.venv=
eggroll.resourcemanager.bootstrap.egg_pair.pythonpath=python
eggroll.resourcemanager.bootstrap.egg_pair.filepath=python/eggroll/computing/egg_pair/egg_pair.py
eggroll.resourcemanager.bootstrap.egg_pair.ld_library_path=
eggroll.session.processors.per.node={{ int64 .Values.eggroll.processorsPerNode }}
eggroll.container.deepspeed.distributed.backend=nccl
{{- end }}
