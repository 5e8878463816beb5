# Sourced by ./run, ./test and .ci/run: what has to be on the machine, and how it gets there.
# POSIX sh. Every step says what it does; nothing is installed that was not named first.

say() { printf '%s\n' "==> $*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Debian packages that building needs.
BUILD_PACKAGES="
 g++ pkg-config
 qt6-base-dev qt6-charts-dev qt6-svg-dev libqt6opengl6-dev libgl1-mesa-dev libopengl-dev libxkbcommon-dev
 libtorch-dev
 libsqlite3-dev
 nlohmann-json3-dev
 rapidjson-dev
 libzstd-dev
 libssl-dev
 fonts-dejavu-core
"
# What the tests use besides: a Python to fetch and unpack the published weights.
TEST_PACKAGES="python3 python3-pip"

# A tool that is on the PATH in a good version counts, wherever it came from.
tool_packages() {
    command -v ninja >/dev/null 2>&1 || printf ' ninja-build'
    if command -v cmake >/dev/null 2>&1; then
        version=$(cmake --version | sed -n '1s/[^0-9]*//p')
        major=${version%%.*}; rest=${version#*.}; minor=${rest%%.*}
        if [ "$major" -gt 3 ] || { [ "$major" -eq 3 ] && [ "$minor" -ge 25 ]; }; then return; fi
    fi
    printf ' cmake'
}

# A Wayland session without an X server needs Qt's plugin for it.
display_packages() {
    if [ -z "${DISPLAY:-}" ] && [ -n "${WAYLAND_DISPLAY:-}" ]; then printf ' qt6-wayland'; fi
}

missing_of() {
    for package in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true) in
            ii*) ;;
            *) printf ' %s' "$package" ;;
        esac
    done
}

# install_missing PACKAGE…: installs what is not there, as root or through sudo; else prints the line to type and ends.
install_missing() {
    command -v dpkg-query >/dev/null 2>&1 || {
        say "This is no Debian: make sure yourself that these are here (Debian's names): $*"
        return 0
    }
    missing=$(missing_of "$@")
    [ -n "$missing" ] || return 0
    line="apt-get install --no-install-recommends -y$missing"
    say "Missing Debian packages:$missing"
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as_root="sudo"
        say "Installing needs root, so sudo may ask for your password."
    else
        die "They need root to install. Type this, then start again:

    su -c 'apt-get update && $line'
"
    fi
    # An empty Debian has no package lists yet.
    # shellcheck disable=SC2086
    if ! apt-cache show $missing >/dev/null 2>&1; then
        say "Reading the package lists: apt-get update"
        $as_root apt-get update -qq || die "apt-get update failed: see above."
    fi
    say "$line"
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive $line -qq </dev/null \
        || die "apt-get could not install them: see above. After 'apt-get update' it may."
}

# build PRESET: configures once, then lets ninja decide.
build() {
    preset=$1
    if [ ! -f "build/$preset/build.ninja" ]; then
        say "Configuring preset '$preset' (build/$preset)"
        mkdir -p build
        cmake --preset "$preset" >"build/$preset.log" 2>&1 || {
            cat "build/$preset.log" >&2
            die "Configuring failed: see above, and build/$preset.log."
        }
    fi
    say "Building preset '$preset' with $(nproc) jobs (the first time takes minutes)"
    cmake --build --preset "$preset" || die "Building failed: see above."
}
