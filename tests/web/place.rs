//! What a site has on its disk before it starts: its configuration, personas with a past in git, images with small files.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use greenroom::config::Config;
use greenroom::document::Document;
use sha2::{Digest, Sha256};

/// What firmware loads.
pub const NBPS: [&str; 2] = ["undionly.kpxe", "snponly.efi"];
/// What the samples ask for.
pub const SECRETS: [&str; 3] = ["root-password", "join-token", "disk-passphrase"];
/// What both the past and the daemon live by.
const RULES: &str = "
boot:
  nbp_dir: nbps
  rules:
    - {name: kiosks in the foyer, match: {attributes: {role: kiosk}}, persona: kiosk-live}
    - {name: compute nodes, match: {product: 'PowerEdge C*'}, persona: compute-diskless}
    - {name: spare machines, match: {attributes: {role: spare}}, persona: rescue-memtest}
";
/// The subnets of the past. The daemon of a test speaks no DHCP: it would answer strangers.
const SUBNETS: &str = "
dhcp:
  mode: full
  subnets:
    - {subnet: 10.20.0.0/16, pools: [10.20.1.0-10.20.255.250], router: 10.20.0.1, dns: 10.20.0.1, domain: rooms.example}
    - {subnet: 10.30.0.0/16, pools: [10.30.1.0-10.30.255.250], router: 10.30.0.1, dns: 10.30.0.1, domain: dc.example}
";

/// The configuration of the past.
pub fn config() -> Config {
    let document = Document::read("greenroom.yaml", format!("{SUBNETS}{RULES}").into_bytes()).unwrap();
    Config::read(&document).unwrap()
}

fn write(file: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// The configuration, NBPs, secrets, images and the library.
pub fn make(dir: &Path, pages: u16, boot: u16, more: &str) {
    let config = format!(
        "state_dir: state\nlibrary: library\nsecrets_dir: secrets\nadmin_socket: admin.sock\n\
         dhcp: {{mode: 'off'}}\ntftp: {{enabled: false}}\nhttp: {{port: {boot}}}\n\
         api: {{listen: '127.0.0.1:{pages}', token_rate: 1000, address_rate: 1000}}\n\
         images: {{ram: 64MiB, disk: 512MiB}}\n{RULES}{more}\n"
    );
    write(&dir.join("greenroom.yaml"), config);
    for nbp in NBPS {
        write(
            &dir.join("nbps").join(nbp),
            fs::read(Path::new("/usr/lib/ipxe").join(nbp)).expect("`make setup` installs ipxe"),
        );
    }
    for secret in SECRETS {
        write(&dir.join("secrets").join(secret), "open-sesame\n");
    }
    for image in IMAGES {
        write(&dir.join("library/images").join(format!("{}.yaml", image.0)), manifest(dir, image));
    }
    library(&dir.join("library"));
}

/// Images as the samples name them: distribution, version, files and their sizes in KiB. The last has origins that are not there.
const IMAGES: [Image; 9] = [
    ("debian-live", "debian", "12", &[("kernel", 800), ("initrd", 2400), ("rootfs", 6000)]),
    ("debian-12-installer", "debian", "12", &[("kernel", 700), ("initrd", 3000)]),
    ("ubuntu-24-04-installer", "ubuntu", "24.04", &[("kernel", 900), ("initrd", 2600), ("rootfs", 4000)]),
    ("rocky-9-installer", "rocky", "9", &[("kernel", 900), ("initrd", 2000)]),
    ("fedora-42-installer", "fedora", "42", &[("kernel", 900), ("initrd", 2200)]),
    ("windows-11-setup", "windows", "11", &[("kernel", 300), ("initrd", 2100)]),
    ("flatcar-stable", "flatcar", "4152", &[("kernel", 500), ("initrd", 2500)]),
    ("memtest86", "memtest86", "7", &[("kernel", 150)]),
    ("lost-image", "debian", "11", &[("kernel", 0), ("initrd", 0)]),
];
type Image = (&'static str, &'static str, &'static str, &'static [(&'static str, usize)]);

fn manifest(dir: &Path, (name, distribution, version, files): Image) -> String {
    let mut text = format!("name: {name}\ndescription: {distribution} {version}, of the test\narch: x64\nfiles:\n");
    for (role, kib) in files {
        // Bytes that do not compress, the same at each start.
        let mut bytes = vec![0u8; kib * 1024];
        let mut seed = Sha256::digest(format!("{name} {role}"));
        for block in bytes.chunks_mut(32) {
            block.copy_from_slice(&seed[..block.len()]);
            seed = Sha256::digest(seed);
        }
        let origin = dir.join("origins").join(name).join(role);
        if *kib > 0 {
            write(&origin, &bytes);
        }
        let digest: String =
            Sha256::digest(format!("{name} {role}")).iter().map(|byte| format!("{byte:02x}")).collect();
        let digest =
            if *kib == 0 { digest } else { Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect() };
        text += &format!("  {role}: {{sha256: {digest}, origins: ['file:{}']}}\n", origin.display());
    }
    text
}

/// git as somebody at some time: `2026-09-01T10:00:00Z Ann Example`.
pub fn git(folder: &Path, words: &[&str]) -> String {
    git_as(folder, "Ann Example", "2026-09-01T10:00:00Z", words)
}

fn git_as(folder: &Path, who: &str, when: &str, words: &[&str]) -> String {
    let mail = format!("{}@example.org", who.split(' ').next().unwrap_or_default().to_lowercase());
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "core.fsmonitor=false", "-c", "init.defaultBranch=main"]).args(words);
    for (name, value) in [("NAME", who), ("EMAIL", &mail), ("DATE", when)] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    let output = command.stdin(Stdio::null()).output().expect("git is installed");
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A persona of the test's own, that runs from memory.
fn live(description: &str, labels: &str, packages: &str) -> String {
    format!(
        "# yaml-language-server: $schema=schema.json\napiVersion: greenroom/v1\ndescription: {description:?}\n\
         owner: rooms@example.org\nlabels: {labels}\neffect: ephemeral\n\nos:\n  image: debian-live\n\napps:\n  \
         # What every room has.\n  packages: [{packages}]\n\npreferences:\n  locale: en_GB.UTF-8\n  timezone: Europe/London\n"
    )
}

/// The repository's samples, and what a site makes of its own over some weeks; a broken one, and one with edits that are in no commit.
fn library(folder: &Path) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
    let copy = |from: &Path, to: &Path| {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "yaml") {
                write(&to.join(path.file_name().unwrap()), fs::read(&path).unwrap());
            }
        }
    };
    git(folder, &["init", "-q"]);
    let commit = |who: &str, when: &str, message: &str| {
        git_as(folder, who, when, &["add", "-A"]);
        git_as(folder, who, when, &["commit", "-q", "-m", message]);
    };
    copy(&samples, folder);
    copy(&samples.join("fragments"), &folder.join("fragments"));
    commit("Ann Example", "2026-08-31T09:12:00Z", "Begin with the samples");
    write(&folder.join("classroom.yaml"), live("A classroom's desk, for lessons", "{room: classroom}", "git, tmux"));
    commit(
        "Ann Example",
        "2026-09-02T15:40:00Z",
        "Give the classrooms a persona\n\nThey ran from USB sticks until now.",
    );
    write(
        &folder.join("exam.yaml"),
        live("An exam: the classroom's desk without its network", "{room: classroom}", "tree"),
    );
    commit("Bob Builder", "2026-09-14T08:05:00Z", "Add exams");
    let text = live("A classroom's desk, for lessons", "{room: classroom, tier: gold}", "git, tmux, python3");
    write(&folder.join("classroom.yaml"), text);
    commit("Bob Builder", "2026-10-05T11:30:00Z", "Teach Python: classrooms need it from October on");
    write(&folder.join("old-desk.yaml"), live("The desk of before", "{}", "tree").replace("debian-live", "lost-image"));
    commit("Carla Ops", "2026-10-20T17:00:00Z", "Keep the old desk for the library's machines");
    let broken =
        live("A desk that somebody broke", "{}", "tree").replace("effect: ephemeral", "effect: epehmeral\ncolour: red");
    write(&folder.join("broken-desk.yaml"), broken);
    commit("Carla Ops", "2026-11-02T09:00:00Z", "Try a desk in red");
    let text =
        fs::read_to_string(folder.join("exam.yaml")).unwrap().replace("packages: [tree]", "packages: [tree, nano]");
    write(&folder.join("exam.yaml"), text);
}

/// A thousand personas in place of the samples.
pub fn thousand(dir: &Path) {
    let folder = dir.join("library");
    for n in 0..1000 {
        let name = format!("persona-{n:04}");
        let labels = format!("{{room: r{}, tier: t{}}}", n % 40, n % 5);
        write(&folder.join(format!("{name}.yaml")), live(&format!("Persona number {n}"), &labels, "git, tmux"));
    }
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "A thousand personas"]);
}
