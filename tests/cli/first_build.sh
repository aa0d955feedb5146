#!/bin/sh
# From nothing installed to a verified build of your own, in six commands.
#
# Run it in the folder of a project whose build is `sh build.sh` and makes app.tar out of a fresh clone in `source`.
# $1 is what pip installs: `navicert`, or the file of a wheel.
set -eu

pip install --quiet "$1"

navicert keygen keys/me
navicert layout init --name app --step build --functionary me=keys/me.pub
navicert layout sign layout.yaml --key keys/me -o root.layout

navicert run build --key keys/me --products source app.tar -- sh build.sh

navicert verify --layout root.layout --owner keys/me.pub app.tar
