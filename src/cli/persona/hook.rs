//! `greenroom persona hook`: git refuses to commit personas with errors.
//!
//! What is checked is what would be committed: the index, written out into a folder of its own. What else lies in the work
//! tree, half edited or not yet added, has no say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    library::{become_owner, put},
    persona::quote::shell_word,
};

use super::super::{Done, Failure, say};

pub(super) fn run(install: Option<PathBuf>, force: bool) -> Done {
    let Some(library) = install else {
        say(script("").trim_end());
        return Ok(());
    };
    let hooks = library.join(git(&library, &["rev-parse", "--git-path", "hooks"])?);
    let script = script(&git(&library, &["rev-parse", "--show-prefix"])?);
    let path = hooks.join("pre-commit");
    let there = fs::read_to_string(&path).ok();
    if !force && (there.is_some() || path.exists()) && there.as_deref() != Some(&*script) {
        let path = path.display();
        return Err(
            format!("there is a hook already: {path}; replace it with --force, or call this one from it").into()
        );
    }
    put(&path, script.as_bytes(), 0o755).map_err(|error| format!("{}: {error}", path.display()))?;
    say(&format!("installed {}", path.display()));
    Ok(())
}

/// What git says about the work tree that holds a folder.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(arguments);
    become_owner(&mut git, folder);
    let output = git.output().map_err(|error| format!("git does not run: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{} is in no git work tree: {}", folder.display(), said.trim()).into())
        }
    }
}

/// The hook for a library that lies at `prefix` in its repository.
fn script(prefix: &str) -> String {
    let library = shell_word(&format!("./{prefix}"));
    format!(
        r#"#!/bin/sh
# Refuses to commit personas with errors. Written by `greenroom persona hook`; `git commit --no-verify` passes it by.
set -eu
library={library}
greenroom=${{GREENROOM:-greenroom}}
git diff --cached --quiet -- "$library" && exit 0
command -v "$greenroom" >/dev/null || {{
    echo "pre-commit: there is no $greenroom to check personas with; set GREENROOM to its path" >&2
    exit 1
}}
staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
trap 'exit 1' HUP INT TERM
git checkout-index --all --prefix="$staged/"
# What is left of the library: everything may have been taken out of it.
[ -d "$staged/$library" ] || exit 0
cd "$staged/$library"
# The folder is no repository, whatever git told this hook.
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE GIT_PREFIX
"$greenroom" persona check . || {{
    echo "pre-commit: what is staged has errors; mend it and add it again" >&2
    exit 1
}}
"#
    )
}
