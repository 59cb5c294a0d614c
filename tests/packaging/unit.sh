#!/usr/bin/env bash
# Boots Debian in a virtual machine, installs drehscheibe as docs/operations.md says, and takes the unit through its life (unit.py). By hand,
# as root:
#   tests/packaging/unit.sh target/release/drehscheibe
# Needs mmdebstrap, qemu-system-x86 and e2fsprogs. The processor is emulated, which takes some minutes; ACCELERATOR=kvm where there is one.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${1:?"which drehscheibe?"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

repo=$work/debian/srv/drehscheibe
packages=systemd-sysv,udev,dbus,linux-image-cloud-amd64,initramfs-tools,libxslt1.1,ca-certificates,openssl,procps,python3
mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$work/debian"
mkdir -p "$repo/target/release"
cp -r README.md docs rules config fixtures packaging tests/packaging/unit.py "$repo"
strip -o "$repo/target/release/drehscheibe" "$binary"
# What the manual tells to do is what is done.
sed -n '/^useradd/,/^```/{/^```/!p}' docs/operations.md > "$repo/install.sh"
cat > "$work/debian/etc/systemd/system/proof.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
WorkingDirectory=/srv/drehscheibe
ExecStart=/usr/bin/python3 -u unit.py
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=file:/dev/ttyS1
StandardError=inherit
UNIT
ln -s ../proof.service "$work/debian/etc/systemd/system/multi-user.target.wants/proof.service"
cp "$work"/debian/boot/vmlinuz-* "$work/kernel"
cp "$work"/debian/boot/initrd.img-* "$work/initrd"
mke2fs -q -t ext4 -d "$work/debian" "$work/disk" 3G

timeout 3600 qemu-system-x86_64 -machine q35,accel="${ACCELERATOR:-tcg}" -cpu max -smp 2 -m 2G -nic none -no-reboot -display none \
  -kernel "$work/kernel" -initrd "$work/initrd" -append "root=/dev/vda rw console=ttyS0 quiet" \
  -drive file="$work/disk",format=raw,if=virtio -serial file:"$work/console" -serial file:"$work/told" || true
cat "$work/told"
grep -q '^all of it holds' "$work/told" || { tail -n 60 "$work/console"; exit 1; }
