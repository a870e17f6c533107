//! Writing: all or nothing, and never over what is there.

use std::fs;

use crate::stage::{fixture, greenroom, import, page, text};

#[test]
fn what_is_there_is_replaced_only_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    fs::create_dir(out.join("personas")).unwrap();
    fs::write(out.join("personas/node.yaml"), "mine\n").unwrap();
    fs::write(out.join("personas/other.yaml"), "mine too\n").unwrap();
    let before = page(out);
    let arguments = ["matchbox", "matchbox", "--out", out.to_str().unwrap()];
    let refused = import(&arguments);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("node.yaml: there already, so nothing was written; --force"), "{}", text(&refused));
    assert_eq!(page(out), before, "not one file was written, and nothing is left over");

    let forced = import(&[&arguments[..], &["--force"]].concat());
    assert!(text(&forced).contains("written to"), "{}", text(&forced));
    let after = page(out);
    assert!(after.contains("Compute node, from memory") && after.contains("mine too") && !after.contains("mine\n\n"));
}

#[test]
fn a_move_that_fails_takes_back_those_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    fs::write(out.join("left-behind"), "a file where a folder must be\n").unwrap();
    fs::create_dir(out.join("personas")).unwrap();
    fs::write(out.join("personas/node.yaml"), "mine\n").unwrap();
    let before = page(out);
    let output = import(&["matchbox", "matchbox", "--out", out.to_str().unwrap(), "--force"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("nothing was written"), "{}", text(&output));
    assert_eq!(page(out), before);
}

#[test]
fn assets_that_lie_elsewhere_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("cobbler");
    let mirror = folder.path().join("var/www/cobbler/ks_mirror/bookworm");
    fs::create_dir_all(&mirror).unwrap();
    for file in ["linux", "initrd.gz"] {
        fs::write(mirror.join(file), file).unwrap();
    }
    fs::create_dir_all(root.join("distros.d")).unwrap();
    let distro = format!(
        r#"{{"name": "bookworm", "breed": "debian", "os_version": "bookworm", "kernel": "{0}/linux", "initrd": "{0}/initrd.gz"}}"#,
        mirror.display()
    );
    fs::write(root.join("distros.d/bookworm.json"), distro).unwrap();
    let import = |more: &[&str]| greenroom(folder.path(), &[&["import", "cobbler", "cobbler"], more].concat());
    assert!(text(&import(&[])).contains("greenroom image add bookworm"), "{}", text(&import(&[])));
    let named = import(&["--assets", "var/www", "--out", "out"]);
    assert!(named.status.success(), "{}", text(&named));
    let manifest = fs::read_to_string(folder.path().join("out/personas/images/bookworm.yaml")).unwrap();
    let sum = std::process::Command::new("sha256sum").arg(mirror.join("linux")).output().unwrap();
    let sum = String::from_utf8_lossy(&sum.stdout).split(' ').next().unwrap().to_owned();
    assert!(manifest.contains(&sum) && manifest.contains("initrd.gz"), "{manifest}");
}

#[test]
fn the_commands_that_add_images_are_a_script_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("in/profiles")).unwrap();
    let profile = r#"{"id": "x", "boot": {"kernel": "/assets/it's a kernel", "args": ["flatcar.autologin"]}}"#;
    fs::write(root.join("in/profiles/x.json"), profile.replace("it's a ", "it's-a-")).unwrap();
    fs::create_dir(root.join("in/assets")).unwrap();
    let output = greenroom(root, &["import", "matchbox", "in", "--out", "out"]);
    assert!(output.status.success(), "{}", text(&output));
    // The kernel comes later; the command finds it where it was looked for.
    fs::write(root.join("in/assets/it's-a-kernel"), "kernel").unwrap();
    let script = fs::read_to_string(root.join("out/add-images.sh")).unwrap();
    let binary = env!("CARGO_BIN_EXE_greenroom");
    let script = script.replace("\ngreenroom ", &format!("\n{binary} ")) + " --library out/personas";
    let script = script.replace("\n --library", " --library");
    let ran = std::process::Command::new("sh").current_dir(root).arg("-c").arg(&script).output().unwrap();
    assert!(ran.status.success(), "{script}\n{}", text(&ran));
    let manifest = fs::read_to_string(root.join("out/personas/images/x-image.yaml")).unwrap();
    assert!(manifest.contains("flatcar.config.url={{seed_url}}"), "{manifest}");
    assert!(greenroom(root, &["persona", "check", "out/personas"]).status.success());
}

#[test]
fn nothing_to_import_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = import(&["cobbler", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("has nothing to import: no files in collections/distros/"), "{}", text(&output));
    let absent = import(&["dnsmasq", fixture("nonesuch").to_str().unwrap()]);
    assert!(text(&absent).contains("nonesuch: No such file"), "{}", text(&absent));
}
