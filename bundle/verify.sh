#!/bin/sh
# Checks this bundle with git, ssh-keygen and sha256sum alone.
#
#   sh verify.sh [TRUST_ROOT [REPOSITORY]]
#
# TRUST_ROOT is the commit at which trust must begin, as you know it from elsewhere; REPOSITORY is where the ledger is
# unpacked, `unpacked.git` here if it is not given. It must not be there yet.
set -u
export LC_ALL=C TZ=UTC GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_NO_REPLACE_OBJECTS=1
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG_PARAMETERS
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }
case $0 in */*) cd -- "${0%/*}" || exit 1 ;; esac
work=${2:-unpacked.git}
signers=$PWD/allowed_signers
g() { git --git-dir="$work" -c gpg.ssh.allowedSignersFile="$signers" -c gpg.format=ssh -c gpg.minTrustLevel=fully "$@"; }

[ ! -e "$work" ] || fail "$work is there already: take it away, or name another place"
sha256sum --check --strict --quiet SHA256SUMS >&2 || fail "SHA256SUMS: a file is not the one that was exported"

git init -q --bare --template= "$work" || fail "no repository could be made at $work"
g -c transfer.fsckObjects=true fetch -q ./ledger.bundle '+refs/*:refs/*' || fail "ledger.bundle: Git does not take it"

root=$(g rev-list --max-parents=0 refs/heads/trust) || fail "trust: it has no branch"
[ -z "${1:-}" ] || [ "$1" = "$root" ] || fail "trust begins at $root, and not at $1"
[ "$(git hash-object --no-filters allowed_signers)" = "$(g rev-parse refs/heads/trust:allowed_signers)" ] ||
    fail "allowed_signers is not the one that trust has"

commits=0
for commit in $(g rev-list --branches); do
    g verify-commit "$commit" 2>/dev/null || fail "the signature of the commit $commit does not count"
    commits=$((commits + 1))
done

releases=0
for branch in $(g for-each-ref --format='%(refname)' refs/heads/); do
    rung=${branch#refs/heads/} number=0
    case $rung in trust | evidence) continue ;; esac
    for commit in $(g rev-list --reverse --first-parent "$branch"); do
        if [ $number -gt 0 ]; then
            tag=refs/tags/release/$rung/$number
            [ "$(g rev-parse -q --verify "$tag^{commit}")" = "$commit" ] || fail "$tag does not name the release $commit"
            g verify-tag "$tag" 2>/dev/null || fail "the signature of $tag does not count"
            releases=$((releases + 1))
        fi
        number=$((number + 1))
    done
    g symbolic-ref HEAD "$branch"
    [ "$(g for-each-ref --format=x "refs/tags/release/$rung/" | while read -r x; do printf x; done)" = \
      "$(n=1; while [ $n -lt $number ]; do printf x; n=$((n + 1)); done)" ] || fail "$rung has tags of releases that are not on it"
done

# The digest of a closure is that of what sha256sum prints for its files.
closure_of() {
    g ls-tree -r --format='%(objectname) %(path)' "$1" | while read -r id path; do
        sum=$(g cat-file blob "$id" | sha256sum)
        printf '%s  %s\n' "${sum%% *}" "$path"
    done | sha256sum
}
records=0
for branch in $(g for-each-ref --format='%(refname)' refs/heads/); do
    rung=${branch#refs/heads/}
    case $rung in trust | evidence) continue ;; esac
    for path in $(g ls-tree -r --name-only "$branch"); do
        case $path in agents/*/*/closure/*) continue ;; agents/*/*/record.json) ;; *) continue ;; esac
        agent=${path%/record.json}
        here=records/$rung/${agent#agents/}.json
        [ -f "$here" ] && [ "$(git hash-object --no-filters "$here")" = "$(g rev-parse "$branch:$path")" ] ||
            fail "$here is not the record that $rung has"
        said=
        while IFS= read -r line; do
            case $line in '  "toDigest": "sha256:'*) said=${line#*sha256:} said=${said%%\"*} ;; esac
        done < "$here"
        if [ -n "$said" ]; then
            found=$(closure_of "$branch:$agent/closure")
            [ "${found%% *}" = "$said" ] || fail "$here names a digest that its closure does not have"
        fi
        records=$((records + 1))
    done
done

items=0
for path in $(g ls-tree -r --name-only refs/heads/evidence); do
    [ -f "evidence/$path" ] && [ "$(git hash-object --no-filters "evidence/$path")" = "$(g rev-parse "refs/heads/evidence:$path")" ] ||
        fail "evidence/$path is not what the ledger has"
    case $path in *.sig) continue ;; esac
    [ -f "evidence/$path.sig" ] || fail "evidence/$path.sig is not what the ledger has"
    sum=$(sha256sum < "evidence/$path") name=${path##*/} name=${name%.json}
    [ "${name##*-}" = "${sum%% *}" ] || fail "evidence/$path does not have the name of its content"
    # The key must have counted when the ledger took the item in.
    then=$(g log -1 --diff-filter=A --format=%cd --date=format-local:%Y%m%d%H%M%SZ refs/heads/evidence -- "$path")
    who=$(ssh-keygen -Y find-principals -f "$signers" -s "evidence/$path.sig" "-Overify-time=$then" 2>/dev/null) ||
        fail "evidence/$path is signed by a key that trust did not list then"
    ssh-keygen -Y verify -f "$signers" -I "${who%%
*}" -n joch-evidence@v1 -s "evidence/$path.sig" "-Overify-time=$then" < "evidence/$path" > /dev/null 2>&1 ||
        fail "the signature of evidence/$path does not count"
    items=$((items + 1))
done

printf 'whole: %s commits, %s releases, %s records, %s items of evidence\n' $commits $releases $records $items
if [ -n "${1:-}" ]; then
    printf 'trust begins at %s, as you said\n' "$root"
else
    printf 'trust begins at %s: ask somebody whom you believe whether that is the one, and say it next time\n' "$root"
fi
