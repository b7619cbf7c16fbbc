#!/bin/sh
# Render the sample pictures. Usage: docs/samples/render.sh [name ...]   (needs povray and ImageMagick)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

size_of() {
    case "$1" in
        mug) echo "1200 900" ;;
        room) echo "1200 800" ;;
        street) echo "1280 720" ;;
        mannequin) echo "840 1120" ;;
        coat) echo "840 1120" ;;
        bottle) echo "1024 1280" ;;
        garden) echo "1280 853" ;;
        *) echo "render.sh: found $1, expected one of: mug room street mannequin coat bottle garden logo" >&2; return 1 ;;
    esac
}

[ $# -gt 0 ] || set -- mug room street mannequin coat bottle garden logo
for name in "$@"; do
    if [ "$name" = logo ]; then
        convert -background none -density 288 "$here/scenes/logo.svg" -resize 800x800 -depth 8 -strip "$here/logo.png"
        continue
    fi
    size=$(size_of "$name")
    (
        cd "$here/scenes"
        povray "+I$name.pov" "+O$work/$name.png" "+W${size% *}" "+H${size#* }" \
            "+WT${THREADS:-1}" -D -V +FN8 +A0.3 +AM1 +R2
    )
    convert "$work/$name.png" -sampling-factor 4:2:0 -strip -define jpeg:extent=290kB -quality 88 "$here/$name.jpg"
    echo "$here/$name.jpg"
done
