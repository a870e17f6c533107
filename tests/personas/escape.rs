//! Texts stay texts: whatever a field holds comes out of every format as that value and nothing else, read back by the
//! parsers of those who will read it: systemd, sh, APT, dconf, Python's YAML, XML and INI, a grammar of PowerShell.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use greenroom::{
    model::{BootId, secret::Secrets, site::Mirrors, smbios::Hardware},
    persona::{
        Persona,
        intent::Intent,
        render::{Subject, seed_file},
        schema::{Container, Distribution},
    },
};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use super::{
    stage::{MAC, decoded, persona, powershell, rendered},
    wild,
};

/// Texts that mean something somewhere.
const NASTY: [&str; 16] = [
    "it's \"so\" `quoted`",
    "$(reboot) ${HOME} $HOME $$ $1",
    "100% %n %% %h",
    "#{x} {{mac}} {% if %}",
    "a\\nb\\\\c\\",
    "first\nsecond\n",
    "<a href=\"x\">&amp;</a> ]]> -->",
    "]]>\u{a0}\u{2028}x",
    "‘typographic’ “quotes” ‚ ‛",
    "a; b && c || d | e > f < g &",
    "- x: y\n  z: [1, 2]",
    "EOF\n'EOF'\nPY",
    "   blanks around   ",
    "äöü ß € 漢字 🦀",
    "!include {a: b} *x &y",
    "\ttab # no comment",
];

/// Those, and as many others as chance brings.
fn texts(count: usize) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let strategy = prop_oneof![wild::text(), "\\PC{1,20}"].boxed();
    let more = (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    NASTY.iter().map(|text| (*text).to_owned()).chain(more).collect()
}

/// The same, where a rule asks for one line.
fn lines(count: usize) -> Vec<String> {
    let plain = |text: String| text.chars().filter(|c| !c.is_control()).collect::<String>();
    texts(count).into_iter().map(plain).filter(|text| !text.trim().is_empty()).collect()
}

fn of(distribution: Distribution) -> Persona {
    let mut persona = persona("apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\nos: {image: x}\n");
    persona.os.distribution = Some(distribution);
    persona
}

fn written(intent: &Intent, path: &str) -> String {
    intent.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path}")).content.clone()
}

/// Runs a program of this machine; what it printed.
fn run(program: &str, arguments: &[&str], input: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; `make setup` installs it"));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Files with these texts, read back.
fn reread(kind: &str, files: &[String]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<String> =
        (0..files.len()).map(|at| folder.path().join(at.to_string()).display().to_string()).collect();
    paths.iter().zip(files).for_each(|(path, text)| fs::write(path, text).unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/personas/check/reread.py").display().to_string();
    let mut arguments = vec![&*script, kind];
    arguments.extend(paths.iter().map(String::as_str));
    serde_json::from_str(&run("/usr/bin/python3", &arguments, "", &[])).unwrap()
}

#[test]
fn cloud_config_is_yaml_with_these_texts_in_it() {
    let texts = texts(60);
    let files = texts.iter().map(|text| {
        let mut persona = of(Distribution::Debian);
        persona.apps.files =
            serde_json::from_value(json!([{ "path": format!("/etc/{text}"), "content": text }])).unwrap();
        persona.apps.commands = vec![text.clone()];
        persona.security.users = serde_json::from_value(json!([{ "name": "ann", "full_name": text }])).unwrap();
        rendered(&persona, "x", "user-data")
    });
    let configs = reread("yaml", &files.collect::<Vec<_>>());
    for (config, text) in configs.iter().zip(&texts) {
        assert_eq!(config["write_files"][0]["content"], json!(text));
        assert_eq!(config["write_files"][0]["path"], json!(format!("/etc/{text}")));
        assert_eq!(config["users"][0]["gecos"], json!(text));
        let commands = config["runcmd"].as_array().unwrap();
        assert!(commands.contains(&json!(["sh", "-c", text])), "{text:?}");
    }
}

#[test]
fn systemd_reads_containers_and_proxies_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let texts = texts(40);
    for (at, text) in texts.iter().enumerate() {
        let mut persona = of(Distribution::Debian);
        persona.apps.containers = vec![Container {
            name: format!("c{at}"),
            image: "docker.io/library/x:1".into(),
            ports: vec![],
            volumes: vec![format!("/srv/{text}:/x")],
            environment: [("TEXT".to_owned(), text.clone())].into(),
            command: vec!["say".into(), text.clone()],
        }];
        persona.network.proxy = serde_json::from_value(json!({ "http": "http://p", "no_proxy": [text] })).unwrap();
        let intent = Intent::of(&persona);
        let unit = written(&intent, &format!("/etc/systemd/system/container-c{at}.service"));
        // The manager's setting has the syntax of a unit's, and shows in a dump only as that.
        let manager = written(&intent, "/etc/systemd/system.conf.d/50-greenroom-proxy.conf");
        let words = manager.split_once("DefaultEnvironment=").unwrap().1;
        let unit = unit.replace("[Service]\n", &format!("[Service]\nEnvironment={words}"));
        fs::write(folder.path().join(format!("container-c{at}.service")), unit).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/personas/check/systemd.py").display().to_string();
    let seen = run("/usr/bin/python3", &[&script, &folder.path().display().to_string()], "", &[]);
    let seen: Value = serde_json::from_str(&seen).unwrap();
    for (at, text) in texts.iter().enumerate() {
        let unit = &seen[format!("container-c{at}.service")];
        let (volume, variable) = (format!("/srv/{text}:/x"), format!("TEXT={text}"));
        let wanted = [
            "/usr/bin/podman",
            "run",
            "--rm",
            "--name",
            &format!("c{at}"),
            "--volume",
            &volume,
            "--env",
            &variable,
            "docker.io/library/x:1",
            "say",
            text,
        ]
        .map(str::to_owned);
        assert_eq!(unit["words"], json!(wanted), "{text:?}");
        if !text.contains('\n') {
            let direct = json!(format!("no_proxy={text}"));
            let lines = unit["environment"].as_array().unwrap();
            let trimmed = |line: &Value| line.as_str().unwrap().trim_end() == direct.as_str().unwrap().trim_end();
            assert!(lines.iter().any(trimmed), "{text:?}: {lines:?}");
        }
    }
}

/// Proxies as a rule of URLs lets them through: everything that is printed and no quote.
const PROXIES: [&str; 4] = [
    "http://u:p%20x@p.example:3128/?a=b&c=d",
    "http://p.example/$(reboot)`x`;!*",
    "http://p.example/#a&&b",
    "http://p/a%b",
];

#[test]
fn shells_apt_and_dnf_read_proxies_and_editors() {
    for url in PROXIES {
        for distribution in [Distribution::Debian, Distribution::Rocky] {
            let mut persona = of(distribution);
            persona.network.proxy =
                serde_json::from_value(json!({ "http": url, "no_proxy": ["a'b $x", "c"] })).unwrap();
            persona.preferences.editor = Some("vim -c 'set $x' \"y\"".into());
            let intent = Intent::of(&persona);
            // The same URL: what is encoded reads back as what was written.
            let same = |seen: &str| {
                let plain = seen.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?@[]=,+%#&".contains(&b));
                assert!(plain, "{seen}");
                assert_eq!(unencoded(seen), unencoded(url));
            };
            let profile = written(&intent, "/etc/profile.d/50-greenroom-proxy.sh")
                + &written(&intent, "/etc/profile.d/50-greenroom-editor.sh");
            let ask = format!("{profile}\nprintf '%s\\n' \"$HTTPS_PROXY\" \"$no_proxy\" \"$EDITOR\"\n");
            let said = run("sh", &[], &ask, &[]);
            let said: Vec<&str> = said.lines().collect();
            same(said[0]);
            assert_eq!(said[1..], ["a'b $x,c", "vim -c 'set $x' \"y\""]);
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name).display().to_string();
            if distribution == Distribution::Debian {
                fs::write(path("apt"), written(&intent, "/etc/apt/apt.conf.d/50greenroom-proxy")).unwrap();
                let said =
                    run("apt-config", &["shell", "URL", "Acquire::https::Proxy"], "", &[("APT_CONFIG", &path("apt"))]);
                same(run("sh", &[], &format!("{said}\nprintf %s \"$URL\""), &[]).trim());
            } else {
                fs::write(path("dnf.conf"), "[main]\nproxy=old\ngpgcheck=1\n").unwrap();
                fs::write(path("greenroom-proxy"), written(&intent, "/etc/dnf/greenroom-proxy")).unwrap();
                let words = intent.commands.iter().find(|words| words.iter().any(|word| word.contains("dnf.conf")));
                let words: Vec<String> =
                    words.unwrap().iter().map(|word| word.replace("/etc/dnf/", &path(""))).collect();
                run(&words[0], &words[1..].iter().map(String::as_str).collect::<Vec<_>>(), "", &[]);
                let settings = &reread("ini", &[fs::read_to_string(path("dnf.conf")).unwrap()])[0]["main"];
                same(settings["proxy"].as_str().unwrap());
                assert_eq!(settings["gpgcheck"], "1");
            }
        }
    }
}

fn unencoded(url: &str) -> Vec<u8> {
    let mut bytes = vec![];
    let mut rest = url.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => (bytes, rest) = ([&bytes[..], &[byte]].concat(), &after[2..]),
            (byte, _) => (bytes, rest) = ([&bytes[..], &[*byte]].concat(), after),
        }
    }
    bytes
}

#[test]
fn dconf_reads_wallpapers_and_settings() {
    for text in lines(12) {
        let mut persona = of(Distribution::Fedora);
        persona.preferences.wallpaper = Some(format!("/usr/share/{text}.jpg"));
        // As `dconf write` takes a text: in quotes, with a backslash before what would end it.
        let value = format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        persona.preferences.dconf = [("org/example/text".to_owned(), value.clone())].into();
        let intent = Intent::of(&persona);
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(path("local.d")).unwrap();
        fs::write(path("local.d/50-greenroom"), written(&intent, "/etc/dconf/db/local.d/50-greenroom")).unwrap();
        run("dconf", &["compile", &path("db"), &path("local.d")], "", &[]);
        fs::write(path("profile"), format!("file-db:{}\n", path("db"))).unwrap();
        let profile = path("profile");
        let read = |key: &str| run("dconf", &["read", key], "", &[("DCONF_PROFILE", &profile)]).trim_end().to_owned();
        assert_eq!(gvariant(&read("/org/example/text")), text);
        let uri = gvariant(&read("/org/gnome/desktop/background/picture-uri"));
        let unencoded = String::from_utf8(unencoded(&uri)).unwrap();
        assert_eq!(unencoded, format!("file:///usr/share/{text}.jpg"));
    }
}

/// A text as GVariant prints it.
fn gvariant(printed: &str) -> String {
    let quote = printed.chars().next().unwrap();
    let inner = printed.strip_prefix(quote).unwrap().strip_suffix(quote).unwrap();
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next().unwrap() {
                'u' => {
                    let code: String = chars.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
                }
                'U' => {
                    let code: String = chars.by_ref().take(8).collect();
                    char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
                }
                other => other,
            },
            c => c,
        });
    }
    text
}

#[test]
fn ignition_hands_files_and_commands_on() {
    let texts = texts(40);
    let mut persona = of(Distribution::Flatcar);
    persona.apps.files = texts
        .iter()
        .enumerate()
        .map(|(at, text)| {
            serde_json::from_value(json!({ "path": format!("/etc/{at}/{text}"), "content": text })).unwrap()
        })
        .collect();
    persona.apps.commands = texts.clone();
    let config: Value = serde_json::from_str(&rendered(&persona, "x", "config.ign")).unwrap();
    let files = config["storage"]["files"].as_array().unwrap();
    for (at, text) in texts.iter().enumerate() {
        assert_eq!(files[at]["path"], json!(format!("/etc/{at}/{text}")));
        assert_eq!(decoded(&files[at]["contents"]["source"]), *text);
    }
    // The script, with an `sh` that only says what it was told.
    let folder = tempfile::tempdir().unwrap();
    let (stub, log) = (folder.path().join("sh"), folder.path().join("log"));
    fs::write(&stub, format!("#!/bin/sh\nprintf '%s\\0' \"$2\" >> {}\n", log.display())).unwrap();
    assert!(Command::new("chmod").arg("755").arg(&stub).status().unwrap().success());
    let script = files.iter().find(|file| file["path"] == "/opt/greenroom/once").unwrap();
    let script =
        decoded(&script["contents"]["source"]).replace("/var/lib/greenroom", &folder.path().display().to_string());
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    run("/bin/sh", &[], &script, &[("PATH", &path)]);
    let told = fs::read_to_string(&log).unwrap();
    let told: Vec<&str> = told.split_terminator('\0').collect();
    assert_eq!(told, texts);
}

/// A Windows persona with a text wherever one can stand.
fn windows(text: &str, line: &str) -> Persona {
    let mut persona = persona(include_str!("sample/windows.yaml"));
    persona.apps.commands = vec![text.to_owned()];
    persona.apps.files[0].content = text.to_owned();
    persona.apps.files[0].path = format!("C:\\{line}");
    persona.security.users[0].full_name = line.to_owned();
    persona.security.groups[0].name = line.to_owned();
    persona.preferences.editor = Some(line.to_owned());
    persona.preferences.wallpaper = Some(line.to_owned());
    persona.raw.windows = text.to_owned();
    persona
}

#[test]
fn windows_reads_names_passwords_and_scripts() {
    let texts: Vec<String> = texts(40).into_iter().filter(|text| !text.trim().is_empty()).collect();
    let lines: Vec<String> = lines(60).into_iter().cycle().take(texts.len()).collect();
    let render = |name: &str| -> Vec<String> {
        let cases = texts.iter().zip(&lines);
        let one = |(text, line): (&String, &String)| {
            let persona = windows(text, line);
            let secrets = persona.secret_names().map(|name| (name.to_owned(), line.clone())).collect::<Vec<_>>();
            let subject = Subject {
                persona: "x",
                mac: MAC.parse().unwrap(),
                hardware: &Hardware::default(),
                boot: BootId::new(1),
                seed_url: "http://10.77.0.1/seed/0000000001/token/",
                report_url: "http://10.77.0.1/seed/0000000001/token/report",
                mirrors: &Mirrors::default(),
                secrets: &Secrets::new(secrets),
            };
            seed_file(&persona, &subject, name).unwrap()
        };
        cases.map(one).collect()
    };
    for (answers, line) in reread("xml", &render("unattend.xml")).iter().zip(&lines) {
        assert_eq!(answers["DisplayName"][0], json!(line));
        let bytes = STANDARD.decode(answers["Value"][0].as_str().unwrap()).unwrap();
        let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        assert_eq!(String::from_utf16(&units).unwrap(), format!("{line}Password"));
    }
    let scripts = render("firstboot.ps1");
    for ((seen, script), (text, line)) in powershell(&scripts).iter().zip(&scripts).zip(texts.iter().zip(&lines)) {
        assert_eq!(seen["errors"], json!([]), "{script}");
        let literals = seen["literals"].as_array().unwrap();
        let content = STANDARD.encode(text);
        for value in [text, line, &content, &format!("C:\\{line}"), &format!("group {line}")] {
            assert!(literals.contains(&json!(value)), "{value:?} in {script}");
        }
    }
}
