#!/bin/sh
# Checks that the shared library exports the functions of livetalker.h and not one symbol more.
set -eu
library=$1
header=$(dirname "$0")/../include/livetalker/livetalker.h

exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sort)
declared=$(grep -o '^LIVETALKER_API [^;(]*(' "$header" | sed 's/($//; s/.*[ *]//' | sort)
if [ "$exported" != "$declared" ]; then
  echo "exported by $library:"; echo "$exported"
  echo "declared in $header:"; echo "$declared"
  exit 1
fi
echo "$(echo "$exported" | wc -l) symbols, all of them livetalker_*"
