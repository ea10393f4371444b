#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# man.sh PROGRAM OUT: the manual page of one of our programs, by help2man out of what its --help says; each of its commands is in it.
set -euo pipefail
program=$1 out=$2
more=$(mktemp)
trap 'rm -f "$more"' EXIT

{
  commands=$("$program" --help | sed -n '/^Subcommands:/,$ s/^  \([a-z-]*\) .*/\1/p')
  [ -z "$commands" ] || echo '[COMMANDS]'
  for command in $commands; do
    printf '.SS %s\n.nf\n' "$command"
    "$program" "$command" --help | sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/"
    echo .fi
  done
  if "$program" --help | grep -q -- --config; then
    printf '%s\n' '[ENVIRONMENT]' 'Every setting is an option, a line of the file that' '.B \-\-config' 'names, or a variable:' '.B \-\-history\-days' 'is' '.B AMZSYNC_HISTORY_DAYS' 'there.'
  fi
  printf '%s\n' '[SEE ALSO]' '.BR amzsync (1),' '.BR amzsync\-host (1),' '.BR amzsync\-sim (1)'
} >"$more"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600}
help2man --no-info --locale C.UTF-8 --name "$("$program" --help | sed -n '1 s/\.$//p')" --include "$more" --output "$out" "$program"
