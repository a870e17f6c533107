//! What the machines run: a tiny guest that proves what it fetched, a live Debian, and disks that show that they booted.
//!
//! Everything is made once and kept under `target/lab`; a stamp tells when the recipe has changed.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Where what was made is kept between runs.
pub fn shelf() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target")).join("lab")
}

/// The modules that virtio networking needs, in the order that they load.
const MODULES: [&str; 8] = [
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
];

/// Fetches `lab.get`, or what live-boot is told to `fetch`; posts its hash to `lab.post`, and ends as `lab.end` says.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod $module; done
phase=ready; end=poweroff
for word in $(cat /proc/cmdline); do case $word in
  lab.get=*|fetch=*) get=${word#*=};; lab.post=*) post=${word#lab.post=};;
  lab.phase=*) phase=${word#lab.phase=};; lab.end=*) end=${word#lab.end=};;
esac; done
ip link set eth0 up
udhcpc -i eth0 -n -q -t 20 -T 1 -s /lease
saw=$(wget -q -O - "$get" | sha256sum | cut -d' ' -f1)
body="{\"phase\":\"$phase\",\"hostname\":\"$(cat /sys/class/net/eth0/address)\",\"kernel\":\"$(uname -r)\",\"checks\":[{\"name\":\"rootfs\",\"ok\":true,\"saw\":\"$saw\"}]}"
for try in 1 2 3 4 5; do wget -q -O - --post-data "$body" "$post" && break; sleep 1; done
echo "lab guest: $phase, then $end" > /dev/ttyS0
$end -f
"#;

const LEASE: &str =
    "#!/bin/busybox sh\n[ \"$1\" = bound ] && ip addr add $ip/$mask dev eth0 && ip route add default via $router\n";

/// The files of an image.
pub struct Files {
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    pub rootfs: PathBuf,
}

/// The tiny guest: Debian's cloud kernel and busybox.
pub fn tiny() -> Files {
    let home = shelf().join("tiny");
    let files = Files { kernel: home.join("vmlinuz"), initrd: home.join("initrd"), rootfs: home.join("rootfs.bin") };
    once(&home, INIT, || {
        let package =
            run("sh", &["-c", "apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p' | head -1"]);
        let package = package.trim();
        assert!(!package.is_empty(), "apt knows no cloud kernel: run apt-get update");
        run_in(&home, "apt-get", &["download", "-q", package]);
        run_in(
            &home,
            "sh",
            &["-c", "dpkg -x linux-image-*.deb kernel && rm linux-image-*.deb && cp kernel/boot/vmlinuz-* vmlinuz"],
        );
        let tree = home.join("tree");
        for folder in ["bin", "modules"] {
            fs::create_dir_all(tree.join(folder)).expect("the target folder is writable");
        }
        fs::copy("/bin/busybox", tree.join("bin/busybox")).expect("busybox-static is installed");
        for (n, module) in MODULES.iter().enumerate() {
            let found = run_in(&home, "sh", &["-c", &format!("ls kernel/lib/modules/*/kernel/{module}.ko")]);
            let name = module.rsplit('/').next().unwrap_or(module);
            fs::copy(home.join(found.trim()), tree.join(format!("modules/{n}-{name}.ko")))
                .expect("the module is there");
        }
        script(&tree.join("init"), INIT);
        script(&tree.join("lease"), LEASE);
        run_in(&tree, "sh", &["-c", "find . | cpio -o -H newc --quiet | gzip > ../initrd"]);
        // Three megabytes that are not all alike, so that a chunk in the wrong place shows.
        let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        fs::write(&files.rootfs, bytes).expect("the target folder is writable");
    });
    files
}

/// What the live Debian is made of.
const LIVE_PACKAGES: &str = "linux-image-cloud-amd64,live-boot,live-boot-initramfs-tools,systemd-sysv,dbus,cloud-init,\
                             iproute2,netplan.io,systemd-resolved,udev,sudo,netbase,locales,tzdata,curl,kmod,\
                             ca-certificates,openssh-server,python3,eject,kbd";

/// The live Debian: a minute to make, once.
pub fn live() -> Files {
    let home = shelf().join("live");
    let files =
        Files { kernel: home.join("vmlinuz"), initrd: home.join("initrd"), rootfs: home.join("filesystem.squashfs") };
    once(&home, LIVE_PACKAGES, || {
        let root = home.join("root");
        let root = root.display().to_string();
        let include = format!("--include={LIVE_PACKAGES}");
        let hooks = [
            r#"printf 'Acquire::Languages "none";\n' > "$1/etc/apt/apt.conf.d/90greenroom""#,
            r#"printf 'COMPRESS=zstd\n' > "$1/etc/initramfs-tools/conf.d/greenroom"; chroot "$1" update-initramfs -u"#,
            r#"chroot "$1" systemctl enable systemd-networkd systemd-resolved"#,
            r#"rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/usr/share/doc/* "$1"/usr/share/man/*"#,
        ];
        let hooks: Vec<String> = hooks.iter().map(|hook| format!("--customize-hook={hook}")).collect();
        let mut arguments = vec!["--variant=minbase", "--quiet", &include];
        arguments.extend(hooks.iter().map(String::as_str));
        arguments.extend(["bookworm", &root]);
        run("mmdebstrap", &arguments);
        run_in(&home, "sh", &["-c", "cp root/vmlinuz vmlinuz && cp root/initrd.img initrd"]);
        let squash = [
            "root",
            "filesystem.squashfs",
            "-comp",
            "zstd",
            "-Xcompression-level",
            "6",
            "-noappend",
            "-quiet",
            "-no-progress",
        ];
        run_in(&home, "mksquashfs", &squash);
        run_in(&home, "rm", &["-rf", "root"]);
    });
    files
}

/// Makes a library of the sample persona and the live image's manifest, the latter by the command that admins use.
pub fn live_library(binary: &Path, library: &Path) {
    let live = live();
    fs::create_dir_all(library).expect("the log folder is writable");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas/kiosk-live.yaml");
    fs::copy(sample, library.join("kiosk-live.yaml")).expect("the log folder is writable");
    let mut add = Command::new(binary);
    add.args(["image", "add", "debian-live", "--library"]).arg(library);
    add.arg("--kernel").arg(&live.kernel).arg("--initrd").arg(&live.initrd).arg("--rootfs").arg(&live.rootfs);
    for argument in LIVE_ARGUMENTS {
        add.args(["--arg", argument]);
    }
    let output = add.output().expect("the binary was built");
    assert!(output.status.success(), "image add: {}", String::from_utf8_lossy(&output.stderr));
}

/// How the live Debian is started.
const LIVE_ARGUMENTS: [&str; 7] = [
    "boot=live",
    "components=no",
    "ip=dhcp",
    "fetch={{blob:rootfs}}",
    "ds=nocloud-net;s={{seed_url}}",
    "net.ifnames=0",
    "console=ttyS0",
];

/// Debian's installer, as Debian's own package brings it.
pub fn installer() -> Files {
    let home = shelf().join("installer");
    let files = Files { kernel: home.join("linux"), initrd: home.join("initrd.gz"), rootfs: PathBuf::new() };
    const RECIPE: &str = r#"set -e
apt-get download -q debian-installer-12-netboot-amd64
dpkg -x debian-installer-12-netboot-amd64_*.deb package && rm debian-installer-12-netboot-amd64_*.deb
cp package/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/linux linux
cp package/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/initrd.gz initrd.gz
rm -r package"#;
    once(&home, RECIPE, || drop(run_in(&home, "sh", &["-c", RECIPE])));
    files
}

/// A mirror of the one package that the sample persona asks for, with Debian's own signed index.
pub fn mirror() -> PathBuf {
    let home = shelf().join("mirror");
    const RECIPE: &str = r#"set -e
base=http://deb.debian.org/debian
index=debian/dists/bookworm/main/binary-amd64
mkdir -p $index/by-hash/SHA256
curl -fsS -o debian/dists/bookworm/InRelease $base/dists/bookworm/InRelease
curl -fsS -o $index/Packages.xz $base/dists/bookworm/main/binary-amd64/Packages.xz
cp $index/Packages.xz $index/by-hash/SHA256/$(sha256sum $index/Packages.xz | cut -d' ' -f1)
for package in tree; do
  file=$(xzcat $index/Packages.xz | awk -v p=$package '/^Package: /{name=$2} /^Filename: /{if (name==p) print $2}')
  mkdir -p debian/$(dirname $file); curl -fsS -o debian/$file $base/$file
done"#;
    once(&home, RECIPE, || drop(run_in(&home, "sh", &["-c", RECIPE])));
    home
}

/// What a disk says on the serial console when it has booted.
pub const DISK_BOOTED: &str = "greenroom lab: booted from the disk";

/// A disk that a BIOS boots: a boot sector that writes to the serial port and halts.
pub fn bios_disk(path: &Path) {
    #[rustfmt::skip]
    let code: [u8; 24] = [
        0x31, 0xc0,             // xor ax, ax
        0x8e, 0xd8,             // mov ds, ax
        0xbe, 0x18, 0x7c,       // mov si, text
        0xac,                   // next: lodsb
        0x84, 0xc0,             // test al, al
        0x74, 0x06,             // jz done
        0xba, 0xf8, 0x03,       // mov dx, COM1
        0xee,                   // out dx, al
        0xeb, 0xf5,             // jmp next
        0xf4,                   // done: hlt
        0xeb, 0xfd,             // jmp done
        0x90, 0x90, 0x90,       // (to 24 bytes)
    ];
    let mut disk = vec![0; 1 << 20];
    disk[..code.len()].copy_from_slice(&code);
    disk[code.len()..code.len() + DISK_BOOTED.len()].copy_from_slice(DISK_BOOTED.as_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    fs::write(path, disk).expect("the log folder is writable");
}

/// A disk that UEFI boots: a FAT file system with a GRUB that speaks and waits.
pub fn uefi_disk(path: &Path) {
    let folder = path.parent().expect("the disk has a folder");
    let (config, grub) = (folder.join("grub.cfg"), folder.join("BOOTX64.EFI"));
    let text = format!("serial --unit=0\nterminal_output serial\necho '{DISK_BOOTED}'\nsleep 3600\n");
    fs::write(&config, text).expect("the log folder is writable");
    let (grub, config) = (grub.display().to_string(), config.display().to_string());
    let embedded = format!("boot/grub/grub.cfg={config}");
    run(
        "grub-mkstandalone",
        &[
            "-O",
            "x86_64-efi",
            "--modules",
            "serial echo sleep",
            "--install-modules",
            "serial echo sleep",
            "--locales=",
            "--fonts=",
            "--themes=",
            "-o",
            &grub,
            &embedded,
        ],
    );
    fs::write(path, vec![0; 64 << 20]).expect("the log folder is writable");
    let disk = path.display().to_string();
    run("mformat", &["-i", &disk, "-F", "::"]);
    run("mmd", &["-i", &disk, "::/EFI", "::/EFI/BOOT"]);
    run("mcopy", &["-i", &disk, &grub, "::/EFI/BOOT/BOOTX64.EFI"]);
}

/// Runs `make` unless it ran before with the same recipe.
fn once(home: &Path, recipe: &str, make: impl FnOnce()) {
    let stamp = home.join("recipe");
    // Tests run side by side: the first one makes, the others wait.
    static MAKING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _making = MAKING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if fs::read_to_string(&stamp).is_ok_and(|made| made == recipe) {
        return;
    }
    drop(fs::remove_dir_all(home));
    fs::create_dir_all(home).expect("the target folder is writable");
    make();
    fs::write(stamp, recipe).expect("the target folder is writable");
}

fn script(path: &Path, text: &str) {
    let mut file = fs::File::create(path).expect("the target folder is writable");
    file.write_all(text.as_bytes()).expect("the target folder is writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the target folder is writable");
}

fn run(program: &str, arguments: &[&str]) -> String {
    run_in(Path::new("."), program, arguments)
}

fn run_in(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; `make setup` installs it"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {} failed:\n{said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
