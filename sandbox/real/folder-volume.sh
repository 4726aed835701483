#!/bin/sh
# A FlexVolume driver: a volume is a folder of the cluster's, named after its PersistentVolume, that outlives pods and restarts.
# Unlike with hostPath, kubelet gives the folder the group that a pod asks for (fsGroup), as it does with disks of a cloud.
set -eu
case $1 in
init)
    echo '{"status": "Success", "capabilities": {"attach": false, "selinuxRelabel": false, "requiresFSResize": false}}'
    exit
    ;;
mount)
    name=$(printf '%s' "$3" | sed -n 's/.*"kubernetes.io\/pvOrVolumeName":"\([^"/]*\)".*/\1/p')
    source=$(dirname "$0")/../../../volumes/${name:?}
    mkdir -p "$source" "$2"
    mountpoint -q "$2" || mount --bind "$source" "$2"
    ;;
unmount)
    ! mountpoint -q "$2" || umount "$2"
    ;;
*)
    echo '{"status": "Not supported"}'
    exit
    ;;
esac
echo '{"status": "Success"}'
