# Sourced: what runs programs of linux-arm64 on this machine, qemu-aarch64 and arm64's C libraries. Sets QEMU_LD_PREFIX, or "missing" to what there is not, in one line.
# Both come from Debian where they are not there: the emulator as a package, for which one is root; the libraries unpacked into artifacts/arm64, beside whatever the system has.
missing=""
QEMU_LD_PREFIX=${QEMU_LD_PREFIX:-$PWD/artifacts/arm64/root}
export QEMU_LD_PREFIX

if ! command -v qemu-aarch64 >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get -q update && apt-get -q install -y --no-install-recommends qemu-user; } >/dev/null 2>&1 || true
fi

arm64_libraries() (
  set -e
  folder=$PWD/artifacts/arm64
  rm -rf "$folder"
  mkdir -p "$folder/lists/partial" "$folder/archives/partial" "$folder/root"
  cd "$folder"
  apt="apt-get -q -o Dir::State::lists=$folder/lists -o Dir::State::status=/dev/null -o Dir::Cache=$folder -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=$(id -un) -o Acquire::Languages=none"
  $apt update
  $apt download libc6 libgcc-s1 libstdc++6
  $apt download libssl3 || $apt download libssl3t64 # Debian's name for it changed
  for package in *.deb; do dpkg-deb -x "$package" root; done
  [ -e root/lib ] || ln -s usr/lib root/lib # where packages know /usr/lib alone
  rm -rf lists archives ./*.deb ./*.bin
)

if ! command -v qemu-aarch64 >/dev/null; then
  missing="there is no qemu-aarch64 (Debian: apt-get install qemu-user)"
elif [ ! -e "$QEMU_LD_PREFIX/lib/ld-linux-aarch64.so.1" ] && { ! command -v apt-get >/dev/null || ! arm64_libraries >/dev/null 2>&1 || [ ! -e "$QEMU_LD_PREFIX/lib/ld-linux-aarch64.so.1" ]; }; then
  missing="arm64's C libraries are neither there nor to be had; QEMU_LD_PREFIX may name a folder with libc6, libgcc-s1, libstdc++6 and libssl3 of Debian's arm64"
fi
