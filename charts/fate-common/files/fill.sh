#!/bin/sh
# fill.sh SOURCE TARGET: copies a file and puts the value of the environment variable NAME where the file says ${NAME}.
#
# It runs in the images of the modules, so it uses only what POSIX says of sh and awk (mawk, gawk and busybox are tested).
# Values are data: no character of one is ever a pattern or a command. What the target's format needs is escaped:
#   *.yaml         the placeholder stands inside single quotes, and a single quote of the value is doubled
#   *.properties   backslashes and leading blanks are escaped; ${ and #{ are refused, because Spring would expand them
#   *redis.conf    the placeholder stands inside double quotes, and backslashes and double quotes of the value are escaped
#   anything else  as it is
# Refused, with nothing written: a placeholder without a value, and a control character or line break in a value.
set -eu
export LC_ALL=C
umask 077
# A target that is there already, copied from the image, would keep its mode.
rm -f "$2"

if ! SOURCE=$1 TARGET=$2 awk '
function refuse(text) {
    print "fill.sh: " ENVIRON["SOURCE"] ", line " NR ": " text | "cat 1>&2"
    close("cat 1>&2")
    failed = 1
    exit 1
}

function doubled(text, character,    i, c, out) {
    out = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        out = out (c == character ? c c : c)
    }
    return out
}

function backslashed(text,    i, c, out) {
    out = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        out = out (c == "\\" || c == "\"" ? "\\" c : c)
    }
    return out
}

function escaped(name, text) {
    if (text ~ /[[:cntrl:]]/) refuse("the value of " name " has a line break or another control character")
    if (target ~ /[.]yaml$/) return doubled(text, quote)
    if (target ~ /redis[.]conf$/) return backslashed(text)
    if (target !~ /[.]properties$/) return text
    if (index(text, "${") || index(text, "#{")) refuse("the value of " name " has ${ or #{, which Spring would expand")
    if (text ~ /[^ -~]/) refuse("the value of " name " is not plain ASCII, which a .properties file needs")
    text = doubled(text, "\\")
    return text ~ /^ / ? "\\" text : text
}

BEGIN {
    target = ENVIRON["TARGET"]
    quote = sprintf("%c", 39)
}

{
    rest = $0
    line = ""
    while (match(rest, /[$][{][A-Z][A-Z0-9_]*[}]/)) {
        name = substr(rest, RSTART + 2, RLENGTH - 3)
        if (!(name in ENVIRON) || ENVIRON[name] == "") refuse("nothing is known for " name)
        line = line substr(rest, 1, RSTART - 1) escaped(name, ENVIRON[name])
        rest = substr(rest, RSTART + RLENGTH)
    }
    print line rest
}

END {
    exit failed
}' "$1" > "$2"
then
    rm -f "$2"
    exit 1
fi
