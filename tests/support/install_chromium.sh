#!/usr/bin/env bash
# The browser that the page tests drive. Without it and without the right to install it those tests are skipped.
set -euo pipefail
command -v chromium > /dev/null || command -v chromium-browser > /dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium > /dev/null
else
  echo "chromium is missing: the tests of HTML pages will be skipped; install it with your package manager" >&2
fi
