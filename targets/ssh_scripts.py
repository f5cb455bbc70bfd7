"""What runs at the other end of an SSH connection: POSIX shell, values only as arguments."""

from __future__ import annotations

LEASED = "edgec-leased"
RUNNING = "edgec-running"

# Arguments: the base folder, or nothing; how many seconds without a line to bear, where there is a
# timeout(1). Keeps a folder until its input ends or falls silent, then kills the process groups
# that are noted in it. A session of sshd is a group of its own; where it is not, the group is the
# server's, and left alone.
KEEPER = f"""
set -eu
umask 077
base=${{1:-${{XDG_CACHE_HOME:-$HOME/.cache}}/edgec}}
mkdir -p "$base/leases" "$base/images"
node=$(uname -n)
for old in "$base/leases/$node"-*; do
    if [ -d "$old" ] && [ ! -d "/proc/${{old##*-}}" ]; then rm -rf "$old"; fi
done
find "$base/images" -type f -mtime +30 -exec rm -f {{}} +
lease=$base/leases/$node-$$
read -r _ _ _ _ own _ < /proc/$$/stat
finish() {{
    trap '' HUP INT TERM PIPE
    for note in "$lease"/*.group; do
        if [ -r "$note" ] && read -r group < "$note" && [ "$group" != "$own" ]; then
            kill -KILL "-$group" 2>/dev/null || :
        fi
    done
    rm -rf "$lease"
}}
rm -rf "$lease"
mkdir "$lease"
trap finish EXIT
trap 'exit 1' HUP INT TERM PIPE
printf '\\n%s\\n%s\\n%s\\n\\n%s\\n' "$(uname -m)" "$base" "$lease" {LEASED}
if timeout 5 true 2>/dev/null; then
    while timeout "$2" sh -c 'read -r _'; do :; done
else
    cat > /dev/null
fi
"""

# Before every script, which finds its folder in $lease. What is noted ends with the lease, even if
# it would not by itself: where the connection fell silent, or nothing is written to it.
NOTED = """
lease=$1 note=$1/$2.group
shift 2
read -r _ _ _ _ group _ < /proc/$$/stat
printf '%s\\n' "$group" > "$note" || exit 1
trap 'rm -f "$note"' EXIT
"""

# Arguments: base folder, hash, bytes, and what to do: find, or take the file from the input.
PUSH = """
base=$1 hash=$2 size=$3
image=$base/images/$hash
is_whole() { [ "$(sha256sum < "$1" | cut -c 1-64)" = "$hash" ]; }
if [ "$4" = find ]; then
    if [ -f "$image" ] && is_whole "$image"; then touch "$image" && echo there; fi
    exit 0
fi
umask 077
cat > "$lease/image" || exit 1
if ! is_whole "$lease/image"; then
    echo "of $size bytes arrived $(wc -c < "$lease/image"), or others" >&2
    exit 1
fi
chmod 700 "$lease/image" && mv -f "$lease/image" "$image"
"""

# Arguments: a word that must be a program or nothing, and the command's words.
RUN = f"""
cd "$lease" || exit 1
needed=$1
shift
if [ -n "$needed" ] && ! command -v "$needed" > /dev/null 2>&1; then
    printf 'edgec-missing %s\\n' "$needed" >&2
    exit 127
fi
printf '\\n%s\\n' {RUNNING}
"$@"
code=$?
printf 'edgec-exit %s\\n' "$code" >&2
exit "$code"
"""
