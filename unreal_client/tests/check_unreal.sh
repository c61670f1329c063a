#!/bin/sh
# Checks the engine layers for syntax and types, against hand-written declarations of just the engine API they use.
# That is all it is: no engine is here, and nothing of it is run.
set -eu
cd "$(dirname "$0")/.."
forwards=$(mktemp -d)
trap 'rm -rf "$forwards"' EXIT

grep -v '^#' tests/unreal_declarations/headers.txt | while read -r header; do
  mkdir -p "$forwards/$(dirname "$header")"
  echo '#include "UnrealDeclarations.h"' > "$forwards/$header"
done

found=0
for compiler in clang++ g++; do
  command -v "$compiler" >/dev/null || continue
  found=$((found + 1))
  # The engine's delegates are called by pointer: unused parameters are the rule there.
  for source in Source/*/Private/*.cpp; do
    "$compiler" -std=c++17 -fsyntax-only -Wall -Wextra -Wno-unused-parameter -Wno-undefined-inline -Wno-undefined-internal \
      -DLIVETALKER_LOADED_AT_RUNTIME=1 -isystem "$forwards" -isystem tests/unreal_declarations -Icore/include \
      -ISource/LiveTalker/Public -ISource/LiveTalker/Private -ISource/LiveTalkerEditor/Private "$source"
  done
done
if [ "$found" = 0 ]; then
  echo "neither clang++ nor g++ is installed" >&2
  exit 1
fi
echo "$(ls Source/*/Private/*.cpp | wc -l) files of the plugin pass the syntax check of $found compiler(s)"
