{{/*
eggroll.properties of Eggroll 2, as every pod reads it. No key may be named in a comment: Eggroll's scripts look for keys with grep. No
password: Eggroll 2.5 prints every key and value at start, in each pod. Its own decryptor calls a method of a library that it has, which
reads an environment variable; only the cluster manager has that.
Call: {{- include "fate.eggroll2" $ | nindent 4 }}
*/}}
{{- define "fate.eggroll2" -}}
{{- $ports := .Values.ports -}}
[eggroll]
eggroll.resourcemanager.clustermanager.jdbc.driver.class.name=com.mysql.cj.jdbc.Driver
eggroll.resourcemanager.clustermanager.jdbc.url=jdbc:mysql://{{ $.Values.database.host }}:{{ int64 $.Values.database.port }}/{{ $.Values.database.name }}?useSSL=false&serverTimezone=UTC&characterEncoding=utf8&allowPublicKeyRetrieval=true
eggroll.resourcemanager.clustermanager.jdbc.username={{ $.Values.database.user }}
eggroll.resourcemanager.clustermanager.jdbc.password=
eggroll.resourcemanager.clustermanager.jdbc.password.decryptor=org.apache.commons.lang3.SystemUtils#getEnvironmentVariable
eggroll.resourcemanager.clustermanager.jdbc.password.decryptor.args=MYSQL_PASSWORD,unset
eggroll.resourcemanager.clustermanager.host=clustermanager
eggroll.resourcemanager.clustermanager.port={{ int64 $ports.clustermanager }}
eggroll.resourcemanager.nodemanager.port={{ int64 $ports.nodemanager }}
eggroll.resourcemanager.process.tag={{ $.Values.partyId }}
eggroll.data.dir=data/
eggroll.logs.dir=logs/
eggroll.bootstrap.root.script=bin/eggroll_boot.sh
eggroll.resourcemanager.bootstrap.egg_pair.exepath=bin/roll_pair/egg_pair_bootstrap.sh
eggroll.resourcemanager.bootstrap.egg_pair.venv=
eggroll.resourcemanager.bootstrap.egg_pair.pythonpath=python
eggroll.resourcemanager.bootstrap.egg_pair.filepath=python/eggroll/roll_pair/egg_pair.py
eggroll.resourcemanager.bootstrap.egg_pair.ld_library_path=
eggroll.resourcemanager.bootstrap.egg_frame.exepath=bin/roll_pair/roll_pair_master_bootstrap.sh
eggroll.resourcemanager.bootstrap.egg_frame.javahome=/usr/lib/jvm/java-1.8.0-openjdk
eggroll.resourcemanager.bootstrap.egg_frame.classpath=conf/:lib/*
eggroll.resourcemanager.bootstrap.egg_frame.mainclass=com.webank.eggroll.rollframe.EggFrameBootstrap
eggroll.resourcemanager.bootstrap.egg_frame.jvm.options=
eggroll.core.grpc.channel.keepalive.timeout.sec=20
arrow.enable_unsafe_memory_access=true
hadoop.fs.defaultFS=file:///
hadoop.dfs.nameservices=
hadoop.dfs.namenode.rpc-address.nn1=
hadoop.dfs.namenode.rpc-address.nn2=
eggroll.session.processors.per.node={{ int64 .Values.eggroll.processorsPerNode }}
eggroll.session.start.timeout.ms=180000
eggroll.rollpair.transferpair.sendbuf.size=250000
{{- with $ports.rollsite }}
{{ include "fate.rollsite.properties" (list $ . $.Values.partyId) }}
{{- end }}
{{- if eq .Values.eggroll.version "2.5" }}
eggroll.resourcemanager.nodemanager.containers.data.dir=/data/projects/fate/eggroll/containers
eggroll.container.deepspeed.python.exec=/data/projects/python/venv/bin/python
eggroll.container.deepspeed.distributed.backend=nccl
{{- end }}
{{- end }}
