//! The command line, as people meet it: the real binary.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

fn greenroom(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(arguments).env_remove("GREENROOM_CONFIG").env_remove("GREENROOM_SOCKET").env("COLUMNS", "100");
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["persona"],
    &["persona", "check"],
    &["persona", "rules"],
    &["persona", "hook"],
    &["persona", "list"],
    &["persona", "show"],
    &["persona", "render"],
    &["persona", "schema"],
    &["persona", "coverage"],
    &["persona", "log"],
    &["persona", "diff"],
    &["persona", "revert"],
    &["persona", "tag"],
    &["image"],
    &["image", "add"],
    &["image", "gc"],
    &["image", "list"],
    &["image", "verify"],
    &["image", "warm"],
    &["cache"],
    &["cache", "status"],
    &["cache", "explain"],
    &["cache", "pin"],
    &["cache", "unpin"],
    &["cache", "evict"],
    &["cache", "plan"],
    &["cache", "replay"],
    &["cache", "trace"],
    &["stage"],
    &["stage", "status"],
    &["import"],
    &["import", "matchbox"],
    &["import", "cobbler"],
    &["import", "dnsmasq"],
    &["account"],
    &["account", "add"],
    &["account", "list"],
    &["account", "role"],
    &["account", "password"],
    &["account", "remove"],
    &["token"],
    &["token", "create"],
    &["token", "list"],
    &["token", "revoke"],
    &["api"],
    &["api", "openapi"],
    &["audit"],
    &["device"],
    &["device", "list"],
    &["device", "set"],
    &["device", "import"],
    &["device", "export"],
    &["device", "show"],
    &["device", "assign"],
    &["device", "unassign"],
    &["device", "arm"],
    &["device", "disarm"],
    &["device", "forget"],
    &["user"],
    &["user", "set"],
    &["user", "list"],
    &["user", "show"],
    &["user", "import"],
    &["user", "export"],
    &["user", "pull"],
    &["user", "forget"],
    &["boots"],
    &["explain"],
    &["replay"],
    &["predict"],
    &["predict", "device"],
    &["predict", "status"],
    &["predict", "retrain"],
    &["predict", "eval"],
    &["proposals"],
    &["proposals", "list"],
    &["proposals", "accept"],
    &["proposals", "decline"],
    &["config"],
    &["config", "init"],
    &["config", "check"],
    &["config", "show"],
    &["config", "unit"],
    &["journal"],
    &["journal", "export"],
    &["webhook"],
    &["webhook", "list"],
    &["webhook", "test"],
    &["simulate"],
    &["completions"],
];

#[test]
fn every_command_has_help_with_examples() {
    for &command in COMMANDS {
        let output = greenroom(&[command, &["--help"]].concat());
        let help = text(&output);
        assert!(output.status.success() && help.contains("Usage:"), "{command:?}: {help}");
        let own = format!("  greenroom {}", command.join(" "));
        let shown = help.split_once("Examples:").is_some_and(|(_, examples)| examples.contains(&own));
        assert!(shown, "{command:?}: {help}");
    }
}

/// The lines of the examples, on a terminal of this width.
fn examples(command: &[&str], columns: &str) -> Vec<String> {
    let mut greenroom = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    let output = greenroom.args(command).arg("--help").env("COLUMNS", columns).output().unwrap();
    let help = text(&output);
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    examples.lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn examples_stay_in_their_lines_on_a_narrow_terminal() {
    for &command in COMMANDS {
        assert_eq!(examples(command, "80"), examples(command, "200"), "{command:?}");
    }
}

/// What a command prints on a terminal of this width.
fn on_terminal(columns: u16, arguments: &str) -> String {
    let greenroom = env!("CARGO_BIN_EXE_greenroom");
    let shell = format!("stty cols {columns}; '{greenroom}' {arguments}");
    let output = Command::new("script").args(["-qec", &shell, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    text(&output).replace('\r', "")
}

#[test]
fn a_list_fits_the_terminal_and_its_names_stay_whole() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
    let list = format!("persona list --library '{}'", library.display());
    for (columns, headings) in [
        (70, vec!["PERSONA", "STATE", "EFFECT", "DESCRIPTION"]),
        (80, vec!["PERSONA", "VERSION", "STATE", "EFFECT", "DESCRIPTION"]),
        (100, vec!["PERSONA", "VERSION", "STATE", "EFFECT", "IMAGE", "DESCRIPTION"]),
        (200, vec!["PERSONA", "VERSION", "COMMIT", "STATE", "EFFECT", "IMAGE", "DESCRIPTION"]),
    ] {
        let told = on_terminal(columns, &list);
        let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with("note: ")).collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), headings, "{told}");
        assert!(lines.iter().all(|line| line.chars().count() <= usize::from(columns)), "{told}");
        let whole = |name: &str| lines.iter().any(|line| line.split(' ').next() == Some(name));
        assert!(whole("workstation-ubuntu") && whole("rescue-memtest"), "{told}");
        // A description goes on below itself, not below the name.
        let column = lines[0].find("DESCRIPTION").unwrap();
        let more = lines.iter().filter(|line| line.starts_with(' '));
        assert!(more.clone().all(|line| line.find(|c| c != ' ') == Some(column)), "{told}");
    }
}

#[test]
fn completions_are_scripts_that_their_shells_read() {
    let bash = greenroom(&["completions", "bash"]);
    let mut shell = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(&bash.stdout).unwrap();
    assert!(shell.wait().unwrap().success());
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(text(&greenroom(&["completions", shell])).contains("greenroom"), "{shell}");
    }
}

#[test]
fn serve_without_a_configuration_says_what_it_needs() {
    let output = greenroom(&["serve", "--config", "/nonexistent/greenroom.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output));
}

#[test]
fn the_sample_configuration_is_good_and_says_what_its_comments_say() {
    let sample = greenroom::config::sample("eth0", "192.0.2.7".parse().unwrap());
    let read = |text: &str| {
        let document = greenroom::document::Document::read("greenroom.yaml", text.as_bytes().to_vec()).unwrap();
        greenroom::config::Config::read(&document).unwrap_or_else(|problems| panic!("{}", problems[0]))
    };
    let as_is = read(&sample);
    assert_eq!(as_is.interfaces, ["eth0"]);
    // Every commented line is a line that works.
    let uncommented: String = sample
        .lines()
        .map(|line| match line.trim_start().strip_prefix("# ") {
            Some(setting)
                if line.starts_with("  #")
                    || setting.contains(": ") && !setting.contains(". ") && setting.starts_with(char::is_lowercase) =>
            {
                format!("{}{setting}\n", &line[..line.len() - line.trim_start().len()])
            }
            _ => format!("{line}\n"),
        })
        .collect();
    for setting in [
        "images: {ram: 1GiB, disk: 50GiB, keeper_rate: 32MiB, patience: 1m, aim: hits}",
        "http: {port: 80, client_rate: 50MiB, total_rate: 800MiB}",
        "stuck_after: 15m",
        "pools: 192.0.2.100-192.0.2.199",
        "rate: 20MiB}",
        "webhooks: ",
    ] {
        assert!(uncommented.contains(setting) && !uncommented.contains(&format!("# {setting}")), "{uncommented}");
    }
}

#[test]
fn the_unit_lets_the_daemon_write_its_state_and_its_library_and_systemd_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let unit = |file: &Path| text(&greenroom(&["config", "unit", "--config", &file.display().to_string()]));
    let missing = unit(&dir.path().join("none.yaml"));
    assert!(missing.contains("\nReadWritePaths=-/etc/greenroom/personas\n"), "{missing}");
    // A library that is part of a work tree: git writes above it.
    let tree = dir.path().join("our tree");
    fs::create_dir_all(tree.join(".git")).unwrap();
    let config = dir.path().join("greenroom.yaml");
    fs::write(&config, "state_dir: /srv/state\nlibrary: our tree/personas\n").unwrap();
    let written = unit(&config);
    let paths = format!("\nReadWritePaths=-{} -/srv/state\n", tree.display().to_string().replace(' ', "\\x20"));
    assert!(written.contains(&paths), "{paths:?}: {written}");
    let file = dir.path().join("greenroom.service");
    fs::write(&file, written.replace("/usr/local/bin/greenroom", "/bin/true")).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&file).output().unwrap();
    assert!(output.status.success() && !text(&output).contains("greenroom.service"), "{}", text(&output));
}

#[test]
fn what_is_in_force_is_shown_as_a_configuration_that_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let full = "\
dhcp:
  mode: full
  interfaces: eth0
  subnets:
    - {subnet: 10.0.0.0/24, pools: 10.0.0.10-10.0.0.20, dns: 10.0.0.1, lease: 90m, mtu: 9000,
       reservations: [{mac: \"52:54:00:00:00:01\", ip: 10.0.0.5, hostname: a}]}
images: {ram: 1536MiB, disk: 1000000001, patience: 90s, s3: {endpoint: \"http://s:9\", access_key: a, secret_key: b}}
http: {client_rate: 50MiB, total_rate: 1000000000}
boot:
  rules: [{name: a, match: {manufacturer: \"Dell*\", arch: [x64, arm64]}, persona: x, armed: true}]
  quirks: [{match: {oui: \"52:54:00\"}, option_43: none, disk: exit, rate: 20MiB}]
";
    for given in [full, "{}\n"] {
        let given = write("given.yaml", given);
        let shown = greenroom(&["config", "show", "--config", &given]);
        assert!(shown.status.success(), "{}", text(&shown));
        let again = write("again.yaml", &text(&shown));
        let twice = greenroom(&["config", "show", "--config", &again]);
        assert_eq!(text(&twice), text(&shown));
        let read = |path: &str| {
            let document = greenroom::document::Document::read(path, fs::read(path).unwrap()).unwrap();
            greenroom::config::Config::read(&document).unwrap_or_else(|problems| panic!("{}", problems[0]))
        };
        assert_eq!(read(&given), read(&again), "{}", text(&shown));
        assert!(text(&shown).contains("stuck_after: 15m") && text(&shown).contains("state_dir: "), "{}", text(&shown));
    }
}

#[test]
fn all_problems_of_a_configuration_are_shown_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greenroom.yaml");
    let text_of = "\
dhcp:
  mode: full
  interfaces: [eth0, \"a name that is too long\"]
  subnets:
    - subnet: 10.0.0.0/24
      pools: [10.0.0.10-10.0.0.20, 10.0.0.20-10.0.0.30, 10.0.1.1-10.0.1.9, nonsense]
      router: 10.0.7.1
      lease: 5s
      reservations:
        - {mac: \"52:54:00:00:00:01\", ip: 10.0.0.5}
        - {mac: \"52:54:00:00:00:02\", ip: 10.0.0.5}
    - subnet: 10.0.0.128/25
images: {ram: 1MiB, patience: 1s, s3: {endpoint: \"ftp://x\", access_key: ../a}}
boot:
  rules:
    - {name: a, match: {}, persona: x}
    - {name: a, match: {arch: x64}, persona: x}
site: {mirrors: {debian: ftp://x}}
";
    fs::write(&path, text_of).unwrap();
    let output = greenroom(&["config", "check", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output).replace(folder.path().to_str().unwrap(), "/etc/greenroom"));
    let for_programs = greenroom(&["--json", "config", "check", "--config", path.to_str().unwrap()]);
    let problems: serde_json::Value = serde_json::from_slice(&for_programs.stdout).unwrap();
    assert!(for_programs.status.code() == Some(1) && problems[0]["line"].is_number(), "{problems}");
    fs::write(&path, "dchp: {mode: full}\nhttp: {prot: 80}\n").unwrap();
    let unknown = text(&greenroom(&["config", "check", "--config", path.to_str().unwrap()]));
    assert!(unknown.contains("did you mean `dhcp`?") && unknown.contains("did you mean `port`?"), "{unknown}");
    let early = "{match: {subnet: 10.0.0.0/24, arch: x64}";
    fs::write(&path, format!("boot:\n  uefi_nbp: [{early}, nbp: ipxe.efi}}]\n  quirks: [{early}}}]\n")).unwrap();
    let quirks = text(&greenroom(&["config", "check", "--config", path.to_str().unwrap()]));
    assert!(quirks.matches("firmware has no address yet").count() == 2, "{quirks}");
    assert!(quirks.contains("this quirk changes nothing"), "{quirks}");
    let bits = "http: {client_rate: 1000, total_rate: 10}\nboot: {quirks: [{match: {arch: x64}, rate: 1KiB}]}\n";
    fs::write(&path, bits).unwrap();
    let rates = text(&greenroom(&["config", "check", "--config", path.to_str().unwrap()]));
    assert!(rates.matches("error[GR115]: nothing boots at this rate").count() == 3, "{rates}");
}

#[test]
fn webhooks_that_would_tell_nobody_nothing_or_everybody_are_refused_without_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greenroom.yaml");
    let check = |hooks: &str| {
        fs::write(&path, format!("dhcp: {{mode: proxy}}\nwebhooks:\n{hooks}")).unwrap();
        let output = greenroom(&["--json", "config", "check", "--config", path.to_str().unwrap()]);
        let said = text(&output);
        assert!(!said.contains("s3cret"), "{said}");
        let problems: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
        problems.iter().map(|problem| problem["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let hook = |fields: &str| check(&format!("  - {{name: desk, secret: desk, {fields}}}\n"));
    assert_eq!(hook("url: 'https://desk.example/hook?key=s3cret'"), [""; 0]);
    for fine in ["http://127.0.0.1:8/", "http://localhost/x", "http://[::1]/x"] {
        assert_eq!(hook(&format!("url: '{fine}'")), [""; 0], "{fine}");
    }
    assert_eq!(hook("url: 'http://desk.example/', plain_http: true"), [""; 0]);
    assert_eq!(hook("url: 'http://desk.example/?s3cret'"), ["GR163"]);
    for bad in ["ftp://x", "desk", "https://user:s3cret@desk.example/", "https://", "https://x/#s3cret"] {
        assert_eq!(hook(&format!("url: '{bad}'")), ["GR162"], "{bad}");
    }
    assert_eq!(hook("url: 'https://x/', events: []"), ["GR165"]);
    assert_eq!(check("  - {name: A/b, url: 'https://x/', secret: ../x}\n"), ["GR160", "GR164"]);
    let one = "  - {name: desk, url: 'https://x/', secret: desk}\n";
    assert_eq!(check(&one.repeat(2)), ["GR161"]);
    let many: String = (0..17).map(|n| one.replace("desk,", &format!("desk{n},"))).collect();
    assert_eq!(check(&many), ["GR166"]);
    fs::write(&path, one.replace("  - ", "webhooks:\n  - ").replace("desk}", "desk, events: [boot-ended]}")).unwrap();
    let unknown = text(&greenroom(&["config", "check", "--config", path.to_str().unwrap()]));
    assert!(unknown.contains("boot-ended") && unknown.contains("boot-finished"), "{unknown}");
}

#[test]
fn a_daemon_that_does_not_run_is_said_so_with_its_own_exit_code() {
    for command in [&["device", "list"][..], &["boots"], &["explain", "52:54:00:00:00:01"], &["image", "list"]] {
        let output = greenroom(&[&["--socket", "/nonexistent/admin.sock"], command].concat());
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        assert!(
            text(&output).contains("no daemon answers at /nonexistent/admin.sock: start it with"),
            "{}",
            text(&output)
        );
    }
    let for_programs = greenroom(&["--json", "--socket", "/nonexistent/admin.sock", "boots"]);
    let said: serde_json::Value = serde_json::from_slice(&for_programs.stderr).unwrap();
    assert!(said["error"].as_str().is_some_and(|error| error.contains("no daemon answers")), "{said}");
    assert_eq!(greenroom(&["device", "assign", "not-a-mac", "x"]).status.code(), Some(2));
}

#[test]
fn personas_are_checked_shown_and_rendered_without_a_daemon() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
    let library = library.to_str().unwrap();
    let check = greenroom(&["persona", "check", library]);
    assert!(check.status.success(), "{}", text(&check));
    assert!(text(&greenroom(&["persona", "show", "kiosk-live", "--library", library])).starts_with("# kiosk-live@"));
    let list = text(&greenroom(&["persona", "list", "--library", library]));
    assert!(list.contains("PERSONA") && list.contains("\nkiosk-live ") && list.lines().count() == 12, "{list}");
    let render = ["persona", "render", "workstation-debian", "--mac", "52:54:00:77:00:02", "--library", library];
    assert!(text(&greenroom(&render)).contains("==> preseed.cfg <=="));
    let json: serde_json::Value =
        serde_json::from_slice(&greenroom(&[&["--json"], &render[..]].concat()).stdout).unwrap();
    assert!(json["user-data"].as_str().unwrap().starts_with("#cloud-config"));
    let missing = greenroom(&["persona", "show", "nobody", "--library", library]);
    assert_eq!(missing.status.code(), Some(1));

    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.yaml");
    fs::write(&bad, "apiVersion: greenroom/v1\ndescripton: x\n").unwrap();
    let output = greenroom(&["persona", "check", bad.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("bad.yaml:2:1") && text(&output).contains("did you mean `description`?"),
        "{}",
        text(&output)
    );
}

#[test]
fn image_add_writes_a_manifest_that_is_good_and_never_replaces_one_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = folder.path().join("vmlinuz");
    fs::write(&kernel, b"a kernel").unwrap();
    let library = folder.path().to_str().unwrap();
    let add = ["image", "add", "mini", "--kernel", kernel.to_str().unwrap(), "--library", library, "--arg", "quiet"];
    assert!(greenroom(&add).status.success());
    let manifest = fs::read_to_string(folder.path().join("images/mini.yaml")).unwrap();
    let digest = Command::new("sha256sum").arg(&kernel).output().unwrap();
    let digest = String::from_utf8_lossy(&digest.stdout).split(' ').next().unwrap().to_owned();
    assert!(manifest.contains(&digest) && manifest.contains("quiet"), "{manifest}");
    assert!(greenroom(&["persona", "check", library]).status.success());
    let again = greenroom(&add);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("--force replaces it"), "{}", text(&again));
}

#[test]
fn what_keeps_the_daemon_from_starting_is_one_sentence_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greenroom.yaml");
    let start = |body: &str| {
        fs::write(&path, format!("state_dir: state\nlibrary: lib\nadmin_socket: admin.sock\n{body}")).unwrap();
        let output = greenroom(&["serve", "--config", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        text(&output).lines().last().unwrap().to_owned()
    };
    let absent = start("dhcp: {mode: proxy, interfaces: nonesuch0}\nhttp: {port: 18080}\n");
    assert!(absent.contains("there is no interface nonesuch0") && absent.contains("dhcp.interfaces"), "{absent}");
    let no_nbp = start("dhcp: {mode: \"off\"}\nboot: {nbp_dir: /nonexistent}\n");
    assert!(no_nbp.contains("apt-get install ipxe") && no_nbp.contains("boot.nbp_dir"), "{no_nbp}");
    let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let in_use = start(&format!("dhcp: {{mode: \"off\"}}\ntftp: {{enabled: false}}\nhttp: {{port: {port}}}\n"));
    assert!(in_use.contains(&format!("port {port} is in use")), "{in_use}");
}
