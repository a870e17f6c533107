//! The formats' own tools, run over many files at once.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use greenroom::{
    model::{BootId, secret::Secrets, site::Mirrors, smbios::Hardware},
    persona::{
        Persona,
        render::{Subject, seed_file},
        schema::{Distribution, Family},
    },
};
use serde_json::{Value, json};

use super::stage::{MAC, yaml};

/// A passphrase that means something to everything that it passes through.
pub(crate) const PASSPHRASE: &str = r##"it's "a" $(reboot) `x` #{y} \n %end & 100% <z> {{mac}}"##;

/// A seed file, with real secrets and no mirrors.
pub(crate) fn seed(persona: &Persona, file: &str) -> String {
    let secrets = persona.secret_names().map(|name| (name.to_owned(), format!("{PASSPHRASE}\nanother line\n")));
    let subject = Subject {
        persona: "rich",
        mac: MAC.parse().unwrap(),
        hardware: &Hardware { serial: Some("SN 123/4".into()), ..Hardware::default() },
        boot: BootId::new(1),
        seed_url: "http://10.77.0.1/seed/0000000001/token/",
        report_url: "http://10.77.0.1/seed/0000000001/token/report",
        mirrors: &Mirrors::default(),
        secrets: &Secrets::new(secrets),
    };
    seed_file(persona, &subject, file).unwrap_or_else(|| panic!("no {file}"))
}

/// Runs a program to its end; what it wrote, when it failed.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Result<Output, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; `make setup` installs it"));
    let mut stdin = child.stdin.take().unwrap();
    // A tool that fails early does not read on; what it says is worth more than the broken pipe.
    let fed = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => fed.map(|()| output).map_err(|error| error.to_string()),
        false => Err(format!(
            "{command:?}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// What a tool of `tools.py` read of each text; panics with the first that it refuses.
pub(crate) fn read_by(tool: &str, texts: &[Value]) -> Vec<Value> {
    let answers = answers_of(tool, texts);
    for (answer, text) in answers.iter().zip(texts) {
        assert!(answer["error"].is_null(), "{tool}: {}\n{}", answer["error"], shown(text));
    }
    answers
}

/// What a tool of `tools.py` says of each text, refusals too.
pub(crate) fn answers_of(tool: &str, texts: &[Value]) -> Vec<Value> {
    // pykickstart is in no package of Debian 12; `make setup` puts it here.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/validators/bin/python3");
    let python = if tool == "kickstart" { own } else { "/usr/bin/python3".into() };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/personas/tools.py");
    let output = run(Command::new(python).arg(script).arg(tool), json!(texts).to_string().as_bytes());
    serde_json::from_slice(&output.unwrap_or_else(|error| panic!("{error}")).stdout).unwrap()
}

fn shown(text: &Value) -> String {
    text.as_str().or(text["text"].as_str()).map_or_else(|| text.to_string(), str::to_owned)
}

/// The cloud-config that the persona's system reads in the end.
pub(crate) fn cloud_config(persona: &Persona) -> Value {
    let read = yaml(&seed(persona, "user-data"));
    if read["autoinstall"].is_object() { read["autoinstall"]["user-data"].clone() } else { read }
}

/// What is written to a file by its path, of all these configs; each text once.
pub(crate) fn written(configs: &[Value], wanted: impl Fn(&str) -> bool) -> BTreeSet<(&str, &str)> {
    let files = configs.iter().flat_map(|config| config["write_files"].as_array().unwrap());
    let files = files.map(|file| (file["path"].as_str().unwrap(), file["content"].as_str().unwrap()));
    files.filter(|(path, _)| wanted(path)).collect()
}

/// `nft -c`, in a network of its own: it would else read this machine's rules.
pub(crate) fn nft(configs: &[Value]) {
    let folder = tempfile::tempdir().unwrap();
    let rulesets = written(configs, |path| ["/etc/nftables.conf", "/etc/sysconfig/nftables.conf"].contains(&path));
    assert!(!rulesets.is_empty(), "nothing to check");
    let mut command = Command::new("unshare");
    command.args(["-n", "sh", "-ec", "for file; do nft -c -f \"$file\" || { cat \"$file\"; exit 1; }; done", "sh"]);
    for (at, (_, ruleset)) in rulesets.iter().enumerate() {
        let path = folder.path().join(at.to_string());
        fs::write(&path, ruleset).unwrap();
        command.arg(path);
    }
    run(&mut command, b"").unwrap();
}

/// `sshd -t`, with a host key of its own.
pub(crate) fn sshd(configs: &[Value]) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key), b"").unwrap();
    let drop_ins = written(configs, |path| path.starts_with("/etc/ssh/sshd_config.d/"));
    assert!(!drop_ins.is_empty(), "nothing to check");
    for (_, text) in drop_ins {
        let path = folder.path().join("drop-in");
        fs::write(&path, text).unwrap();
        // sshd insists on a folder that Debian makes when it starts the service.
        let script = "mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -t -f \"$1\" -h \"$2\"";
        run(Command::new("unshare").args(["-m", "sh", "-ec", script, "sh"]).arg(path).arg(&key), b"").unwrap();
    }
}

/// `visudo -c`.
pub(crate) fn visudo(configs: &[Value]) {
    let rules = written(configs, |path| path.starts_with("/etc/sudoers.d/"));
    assert!(!rules.is_empty(), "nothing to check");
    for (_, text) in rules {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        run(Command::new("visudo").args(["-c", "-f"]).arg(file.path()), b"").unwrap_or_else(|e| panic!("{e}\n{text}"));
    }
}

/// `systemd-analyze verify`, in a root of its own that has what the units start.
pub(crate) fn systemd(configs: &[Value]) {
    let units = written(configs, |path| path.starts_with("/etc/systemd/system/"));
    assert!(!units.is_empty(), "nothing to check");
    // Two personas may have one unit of one name and two texts: those come into different roots.
    let mut roots: Vec<(tempfile::TempDir, BTreeSet<&str>)> = vec![];
    for (path, text) in units {
        let at = roots.iter().position(|(_, paths)| !paths.contains(path)).unwrap_or_else(|| {
            roots.push((tempfile::tempdir().unwrap(), BTreeSet::new()));
            roots.len() - 1
        });
        let (root, paths) = &mut roots[at];
        let file = root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        paths.insert(path);
    }
    for (root, paths) in &roots {
        // A drop-in is checked with the unit that it belongs to.
        let mut names = BTreeSet::new();
        for path in paths {
            let name = path.trim_start_matches("/etc/systemd/system/");
            match name.split_once(".d/") {
                None => drop(names.insert(name.to_owned())),
                Some((unit, _)) => {
                    let file = root.path().join("etc/systemd/system").join(unit);
                    if unit.ends_with(".service") && !file.exists() {
                        fs::write(file, "[Service]\nExecStart=/bin/true\n").unwrap();
                    }
                    names.insert(unit.replace("user-.slice", "user-1000.slice"));
                }
            }
        }
        // Containers' programs, the report script, and the targets that systemd brings come from this machine.
        let script = "mkdir -p \"$0/usr/bin\" \"$0/usr/local/lib/greenroom\" \"$0/usr/lib/systemd\"; \
             for program in podman docker; do cp /bin/true \"$0/usr/bin/$program\"; done; \
             ln -s usr/bin \"$0/bin\"; cp /bin/true \"$0/bin/true\"; \
             cp /bin/true \"$0/usr/local/lib/greenroom/report\"; \
             cp -r /usr/lib/systemd/system \"$0/usr/lib/systemd/\"; \
             exec systemd-analyze verify --man=no --recursive-errors=no --root=\"$0\" \"$@\"";
        let output = run(Command::new("sh").args(["-ec", script]).arg(root.path()).args(&names), b"");
        let output = output.unwrap_or_else(|error| panic!("{error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("greenroom")).collect();
        assert!(about_ours.is_empty(), "{said}");
    }
}

/// `dash -n` and BusyBox's shell, over many scripts.
pub(crate) fn shells(scripts: &BTreeSet<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    let check = "for file; do dash -n \"$file\" && busybox sh -n \"$file\" || { cat -n \"$file\"; exit 1; }; done";
    command.args(["-ec", check, "sh"]);
    for (at, script) in scripts.iter().enumerate() {
        let path = folder.path().join(at.to_string());
        fs::write(&path, script).unwrap();
        command.arg(path);
    }
    run(&mut command, b"").unwrap_or_else(|error| panic!("{error}"));
}

/// `netplan generate`, each network in a root of its own.
pub(crate) fn netplan(networks: &BTreeSet<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (at, network) in networks.iter().enumerate() {
        let root = folder.path().join(at.to_string());
        fs::create_dir_all(root.join("etc/netplan")).unwrap();
        let path = root.join("etc/netplan/greenroom.yaml");
        let wrapped = json!({ "network": yaml(network) });
        fs::write(&path, wrapped.to_string()).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let script = "cd \"$1\"; for root in *; do netplan generate --root-dir \"$PWD/$root\" || { cat $root/etc/netplan/*; exit 1; }; done";
    run(Command::new("sh").args(["-ec", script, "sh"]).arg(folder.path()), b"")
        .unwrap_or_else(|error| panic!("{error}"));
}

/// debconf reads the answers into a database of its own, and shows what it has.
pub(crate) fn debconf(answers: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let system = format!(
        "Config: configdb\nTemplates: templatedb\n\nName: configdb\nDriver: File\nFilename: {at}/config.dat\n\n\
         Name: templatedb\nDriver: File\nMode: 644\nFilename: {at}/templates.dat\n"
    );
    fs::write(folder.path().join("debconf.conf"), system).unwrap();
    let script = "export DEBCONF_SYSTEMRC=\"$1/debconf.conf\" DEBIAN_FRONTEND=noninteractive; \
         cat >\"$1/answers\"; debconf-set-selections --checkonly \"$1/answers\"; debconf-set-selections \"$1/answers\"; \
         debconf-show --db=configdb d-i";
    let output = run(Command::new("sh").args(["-ec", script, "sh"]).arg(folder.path()), answers.as_bytes());
    let output = output.unwrap_or_else(|error| panic!("{error}\n{answers}"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(complaints.is_empty(), "{complaints}\n{answers}");
    let shown = String::from_utf8(output.stdout).unwrap();
    let questions = shown.lines().filter_map(|line| line.trim_start_matches([' ', '*']).split_once(':'));
    questions
        .map(|(question, answer)| (question.to_owned(), answer.strip_prefix(' ').unwrap_or(answer).to_owned()))
        .collect()
}

/// The version of pykickstart's that a persona's distribution takes.
pub(crate) fn kickstart_version(persona: &Persona) -> &'static str {
    match persona.os.distribution() {
        Distribution::Fedora => "F41",
        other => {
            assert_eq!(other.family(), Family::Redhat);
            "RHEL9"
        }
    }
}
