//! Secrets in plain text: a library is a git repository, and what once stood in one is known.
//!
//! What can be nothing else (a private key, a token of a known make, a password in a URL) is an error; what is only called
//! like a secret is a warning. Neither message nor snippet repeats it: problems end up in logs.

use serde_json::Value;

use crate::{document::Check, persona::Persona};

use super::listed;

/// What tokens of known makers begin with.
const TOKENS: [&str; 13] = [
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "hvs.",
    "dckr_pat_",
    "npm_",
    "AGE-SECRET-KEY-1",
];

/// What secrets are called.
const CALLED: [&str; 8] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "access_key"];

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let apps = &persona.apps;
    let mut texts: Vec<(String, &str)> = vec![];
    texts.extend(apps.files.iter().enumerate().map(|(at, file)| (format!("apps.files.{at}.content"), &*file.content)));
    texts.extend(listed("apps.commands", &apps.commands));
    texts.extend(listed("os.kernel_args", persona.kernel_args()));
    for (at, container) in apps.containers.iter().enumerate() {
        let path = format!("apps.containers.{at}");
        texts.extend(container.command.iter().map(|word| (format!("{path}.command"), &**word)));
        texts.extend(container.environment.iter().map(|(key, value)| (format!("{path}.environment.{key}"), &**value)));
        for (key, value) in &container.environment {
            let called = CALLED.iter().any(|name| key.to_lowercase().ends_with(name));
            let likely = (called && is_literal(value)).then_some("a secret by its name");
            report(check, &format!("{path}.environment.{key}"), None, likely);
        }
    }
    texts.extend(
        apps.repositories.iter().enumerate().map(|(at, one)| (format!("apps.repositories.{at}.uri"), &*one.uri)),
    );
    texts
        .extend(apps.flatpaks.iter().enumerate().map(|(at, one)| (format!("apps.flatpaks.{at}.remote"), &*one.remote)));
    texts.extend(persona.preferences.wallpaper.iter().map(|url| ("preferences.wallpaper".to_owned(), &**url)));
    if let Some(proxy) = &persona.network.proxy {
        texts.push(("network.proxy.http".to_owned(), &proxy.http));
        texts.extend(proxy.https.iter().map(|url| ("network.proxy.https".to_owned(), &**url)));
    }
    let raw = &persona.raw;
    for (block, text) in [("preseed", &raw.preseed), ("kickstart", &raw.kickstart), ("windows", &raw.windows)] {
        texts.push((format!("raw.{block}"), text));
    }
    for (path, text) in texts {
        report(check, &path, certain(text), likely(text));
    }
    for (block, map) in
        [("cloud_init", &raw.cloud_init), ("autoinstall", &raw.autoinstall), ("ignition", &raw.ignition)]
    {
        map.iter().for_each(|(key, value)| in_json(check, &format!("raw.{block}.{key}"), key, value));
    }
}

fn in_json(check: &mut Check<'_>, path: &str, key: &str, value: &Value) {
    match value {
        Value::String(text) => {
            let called = CALLED.iter().any(|name| key.to_lowercase() == *name) && is_literal(text);
            report(check, path, certain(text), likely(text).or(called.then_some("a secret by its name")));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| in_json(check, &format!("{path}.{at}"), key, item));
        }
        Value::Object(map) => map.iter().for_each(|(key, value)| in_json(check, &format!("{path}.{key}"), key, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn report(check: &mut Check<'_>, path: &str, certain: Option<&'static str>, likely: Option<&'static str>) {
    let before = check.problems.len();
    let help =
        "keep it on the server as a secret and let the device fetch it; and replace it: it has been written down";
    check.require(
        certain.is_none(),
        "GR088",
        path,
        format!("here stands {} in plain text", certain.unwrap_or_default()),
        help,
    );
    if certain.is_none() {
        let message = format!("this looks like {}, in plain text", likely.unwrap_or_default());
        check.warn(likely.is_none(), "GR089", path, message, help);
    }
    check.conceal_since(before);
}

/// What can be nothing else.
fn certain(text: &str) -> Option<&'static str> {
    let private = text.split("-----BEGIN ").skip(1).any(|rest| {
        rest.split_once("-----").is_some_and(|(what, _)| {
            what.ends_with("PRIVATE KEY") || what.ends_with("KEY BLOCK") && what.contains("PRIVATE")
        })
    });
    if private {
        return Some("a private key");
    }
    if words(text).any(|word| {
        (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.len() == 20
            && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    }) {
        return Some("an AWS access key");
    }
    let is_token =
        |word: &str| TOKENS.iter().any(|maker| word.strip_prefix(maker).is_some_and(|rest| rest.len() >= 16));
    if words(text).any(is_token) {
        return Some("an access token");
    }
    text.split("://").skip(1).any(has_password).then_some("a password in a URL")
}

/// Runs of what tokens are made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).filter(|word| word.len() >= 16)
}

/// Whether what follows `://` begins with `user:password@`.
fn has_password(rest: &str) -> bool {
    let authority =
        rest.split(|c: char| c == '/' || c.is_whitespace() || "\"'`<>\\?#".contains(c)).next().unwrap_or("");
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty() && !password.starts_with(['$', '{', '%', '*']))
}

/// What is called like a secret and has a value of its own.
fn likely(text: &str) -> Option<&'static str> {
    text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])).find_map(|line| {
        let line_lower = line.to_ascii_lowercase();
        let after = |mark: &str| line_lower.find(mark).map(|at| line[at + mark.len()..].trim_start());
        if after("authorization: bearer ").or_else(|| after("authorization: basic ")).is_some_and(is_literal) {
            return Some("a credential in a request");
        }
        if after("-password password ").or_else(|| after("rootpw --plaintext ")).is_some_and(is_literal) {
            return Some("an installer's password");
        }
        let named = CALLED.iter().any(|name| {
            line_lower.match_indices(name).any(|(at, _)| assigned(&line[at + name.len()..], *name != "passwd"))
        });
        named.then_some("a password or token")
    })
}

/// Whether what follows a name gives it a value. `passwd:` is a line of nsswitch.conf.
fn assigned(rest: &str, by_colon: bool) -> bool {
    let rest = rest.trim_start_matches(['"', '\'']).trim_start();
    let value = rest.strip_prefix('=').or_else(|| by_colon.then(|| rest.strip_prefix(':')).flatten());
    value.is_some_and(|value| is_literal(value.trim_start()))
}

/// Whether a value is itself, and not the name of where it stands: `$TOKEN`, `{{token}}`, `<token>`, `/run/secrets/token`.
fn is_literal(value: &str) -> bool {
    let value = value.trim().trim_start_matches(['"', '\'']);
    let word = value.split(|c: char| c.is_whitespace() || "\"',;&|".contains(c)).next().unwrap_or("");
    let reference = word.starts_with(['$', '{', '<', '%', '/', '@', '`', '*', '=', '(', '!', '~']);
    let plain = ["true", "false", "none", "null", "required", "prompt", "yes"].contains(&word.to_lowercase().as_str());
    word.chars().count() >= 4 && !reference && !plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_nothing_else() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END";
        let aws = format!("aws_access_key_id = AKIA{}", "IOSFODNN7EXAMPLE");
        let token = format!("curl -H x:ghp_{}", "a1B2c3D4e5F6g7H8i9J0");
        for text in [key, &*aws, &*token, "curl https://bob:hunter2@example.org/x", "-----BEGIN PRIVATE KEY-----"] {
            assert!(certain(text).is_some(), "{text}");
        }
        for text in [
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----",
            "AKIA",
            "ghp_short",
            "mail bob@example.org",
            "https://bob@example.org/",
            "https://bob:$PASSWORD@example.org/",
            "https://example.org/a:b@c",
            "ssh://git@host:22/x",
        ] {
            assert!(certain(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_called_like_a_secret() {
        for text in [
            "password=hunter2",
            "DB_PASSWORD: 'hunter2'",
            "export API_TOKEN=abcdef",
            "{\"secret\": \"abcdef\"}",
            "curl -H 'Authorization: Bearer abcdefgh'",
            "d-i passwd/root-password password hunter2",
            "rootpw --plaintext hunter2",
            "x\nclient_secret = abcdef",
        ] {
            assert!(likely(text).is_some(), "{text}");
        }
        for text in [
            "password=$PASSWORD",
            "# password=hunter2",
            "passwd: files systemd",
            "PasswordAuthentication no",
            "token={{token}}",
            "password_file=/run/secrets/db",
            "password = /run/secrets/db",
            "secret:",
            "token: <yours>",
            "password: true",
            "password requisite pam_pwquality.so retry=3",
            "tokenize: things",
        ] {
            assert!(likely(text).is_none(), "{text}");
        }
    }
}
