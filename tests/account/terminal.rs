//! Passwords that are typed: the command line on a real terminal, which `script` of util-linux makes.

use std::{
    fs,
    io::{Read, Write},
    process::{Command, Stdio},
};

use crate::daemon::{Daemon, PASSWORD};

/// What became of a command on a terminal.
#[derive(Debug)]
struct Typed {
    code: i32,
    /// All that the terminal showed.
    said: String,
    /// Whether the terminal is afterwards as it was before.
    sane: bool,
}

/// A command of the command line on a terminal: what is waited for, and what is typed then, at once; in the end something else.
fn typed(daemon: &Daemon, words: &str, answers: &[(&str, &str)], then: impl FnOnce()) -> Typed {
    let folder = daemon.dir.path();
    let line = format!(
        "stty -g > before; sh -c 'echo $$ > pid; exec {} --socket admin.sock {words}'; code=$?; stty -g > after; exit $code",
        env!("CARGO_BIN_EXE_greenroom")
    );
    // A question that never comes ends the test, and not the patience of whoever runs it.
    let mut command = Command::new("timeout");
    command.args(["60", "script", "-qec", &line, "/dev/null"]).current_dir(folder).env("SHELL", "/bin/sh");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut said, mut seen) = (vec![], 0);
    for (awaited, keys) in answers {
        while !String::from_utf8_lossy(&said[seen..]).contains(awaited) {
            let mut byte = [0];
            assert_eq!(screen.read(&mut byte).unwrap(), 1, "{awaited:?}: {}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        seen = said.len();
        keyboard.write_all(keys.as_bytes()).unwrap();
    }
    then();
    screen.read_to_end(&mut said).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    let [before, after] = ["before", "after"].map(|file| fs::read_to_string(folder.join(file)).unwrap());
    Typed { code, said: String::from_utf8_lossy(&said).into_owned(), sane: before == after && !before.is_empty() }
}

const ADD: &str = "account add ann --role operator";
const FIRST: &str = "Password for ann: ";
const AGAIN: &str = "Again: ";

/// The same, when nothing is done but typing.
fn answered(daemon: &Daemon, words: &str, answers: &[(&str, &str)]) -> Typed {
    typed(daemon, words, answers, || {})
}

fn is_there(daemon: &Daemon) -> bool {
    daemon.cli(&["account", "list"]).contains("ann")
}

#[test]
fn a_password_is_typed_twice_and_never_shown() {
    let daemon = Daemon::with_admin();
    let line = format!("{PASSWORD}\n");
    let made = answered(&daemon, ADD, &[(FIRST, &line), (AGAIN, &line)]);
    assert!(made.code == 0 && made.sane, "{made:?}");
    assert!(made.said.contains("ann is operator and can sign in"), "{made:?}");
    assert!(!made.said.contains("horse") && !made.said.contains("^"), "{made:?}");
    daemon.browser().sign_in("ann", PASSWORD).leads("/");

    // What was typed wrong can be taken back, and what is typed after the prompt came is the password, whatever it is.
    let corrected = "four worde\u{7f}s and möre\n";
    let other = "four words and möre\n";
    let changed = answered(&daemon, "account password ann", &[(FIRST, corrected), (AGAIN, other)]);
    assert!(changed.code == 0 && changed.sane && !changed.said.contains("four"), "{changed:?}");
    daemon.browser().sign_in("ann", PASSWORD).is(401, "not right");
    daemon.browser().sign_in("ann", other.trim()).leads("/");
}

#[test]
fn what_will_not_do_is_told_and_asked_for_again_three_times_in_all() {
    let daemon = Daemon::with_admin();
    let line = format!("{PASSWORD}\n");
    let refused = answered(
        &daemon,
        ADD,
        &[(FIRST, "\n"), (FIRST, "short\n"), (FIRST, &line), (AGAIN, "correct horse batterx\n")],
    );
    assert!(refused.code == 1 && refused.sane, "{refused:?}");
    for (words, times) in [
        ("12 characters at least: three or four words", 2),
        ("the two passwords are not the same", 1),
        ("nothing was changed", 1),
    ] {
        assert_eq!(refused.said.matches(words).count(), times, "{words}: {refused:?}");
    }
    assert!(!refused.said.contains("short") && !refused.said.contains("horse") && !is_there(&daemon), "{refused:?}");
    let made = answered(&daemon, ADD, &[(FIRST, "ann-2026-4711\n"), (FIRST, &line), (AGAIN, &line)]);
    assert!(made.code == 0 && made.said.contains("name") && is_there(&daemon), "{made:?}");
}

#[test]
fn whoever_gives_up_has_a_terminal_that_works_and_nothing_is_made() {
    let daemon = Daemon::with_admin();
    let line = format!("{PASSWORD}\n");
    for answers in [
        &[(FIRST, "half a pass\u{3}")][..],
        &[(FIRST, &line), (AGAIN, "\u{3}")],
        &[(FIRST, "\u{4}")],
        // In vain: a question is no place to stop at, or to dump core from.
        &[(FIRST, "\u{1a}\u{1c}\u{3}")],
    ] {
        let ended = answered(&daemon, ADD, answers);
        assert!(ended.code == 1 && ended.sane, "{answers:?}: {ended:?}");
        assert!(ended.said.contains("nothing was changed") && !ended.said.contains("half"), "{ended:?}");
        assert!(!is_there(&daemon), "{answers:?}");
    }
    for signal in ["-TERM", "-INT", "-HUP"] {
        let end = || {
            let pid = fs::read_to_string(daemon.dir.path().join("pid")).unwrap();
            assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
        };
        let ended = typed(&daemon, ADD, &[(FIRST, "half a pass")], end);
        assert!(ended.code == 1 && ended.sane && !is_there(&daemon), "{signal}: {ended:?}");
    }
}

#[test]
fn nobody_types_a_password_for_nothing() {
    let mut daemon = Daemon::with_admin();
    for (words, said, code) in [
        ("account add admin --role viewer", "there is an account admin already", 1),
        ("account password ann", "there is no account ann", 1),
    ] {
        let told = answered(&daemon, words, &[]);
        assert!(told.code == code && told.said.contains(said) && !told.said.contains("Password"), "{told:?}");
    }
    let output = daemon.cli_with(&["account", "add", "ann", "--role", "viewer"], PASSWORD);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.contains("no terminal") && said.contains("--password-stdin") && said.contains("--invite"), "{said}");
    daemon.stop();
    let told = answered(&daemon, ADD, &[]);
    assert!(told.code == 3 && !told.said.contains("Password"), "{told:?}");
}
