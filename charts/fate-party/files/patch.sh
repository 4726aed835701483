#!/bin/sh
# patch.sh SOURCE TARGET FIND REPLACE [FIND REPLACE]...: copies a file and replaces every FIND by REPLACE, in this order.
#
# It runs in the images of the modules, so it uses only what POSIX says of sh and awk (mawk, gawk and busybox are tested).
# Texts are data: no character of one is ever a pattern. A FIND stands inside one line. Refused, with nothing written: a source that is
# not there, and a FIND that is not in it, because then the image is another one than the patch was written for.
set -eu
export LC_ALL=C

source=$1 target=$2
shift 2
cp "$source" "$target.next"
while [ $# -gt 0 ]; do
    FIND=$1 REPLACE=$2 awk '
        {
            rest = $0
            line = ""
            while (at = index(rest, ENVIRON["FIND"])) {
                line = line substr(rest, 1, at - 1) ENVIRON["REPLACE"]
                rest = substr(rest, at + length(ENVIRON["FIND"]))
                found = 1
            }
            print line rest
        }
        END { exit !found }
    ' "$target.next" > "$target.edited" || {
        echo "patch.sh: $source does not have the text: $1" >&2
        rm -f "$target.next" "$target.edited"
        exit 1
    }
    mv "$target.edited" "$target.next"
    shift 2
done
chmod 0644 "$target.next"
mv "$target.next" "$target"
