//! Who somebody is, and what they may do, from what the issuer says of them.

use serde_json::{Map, Value};

use super::{Fault, Person, Settings};

/// The longest name.
const LONGEST: usize = 128;
/// How many values of a claim are looked at, and shown.
const MOST: usize = 1000;

/// The person that these claims are of.
pub(super) fn person(settings: &Settings, claims: &Map<String, Value>) -> Result<Person, Fault> {
    let named = [settings.name.as_str(), "sub"].into_iter().find_map(|claim| name(found(claims, claim)?));
    let none = || Fault::Unbelievable(format!("it names nobody: neither `{}` nor `sub` is a name", settings.name));
    let says = values(found(claims, &settings.claim));
    let given = settings.roles.iter().rev().find(|(_, values)| says.iter().any(|value| values.contains(value)));
    let host = settings.issuer.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    Ok(Person { name: named.ok_or_else(none)?, host: host.into(), role: given.map(|(role, _)| *role), says })
}

/// A claim by its name, or by the way to it: `realm_access.roles`.
fn found<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let deeper = || {
        let (first, rest) = path.split_once('.')?;
        found(claims.get(first)?.as_object()?, rest)
    };
    claims.get(path).or_else(deeper)
}

/// A name that can stand in facts and pages.
fn name(value: &Value) -> Option<String> {
    let name = value.as_str()?.trim();
    let fits =
        (1..=LONGEST).contains(&name.chars().count()) && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    fits.then(|| name.to_owned())
}

/// One text or several.
fn values(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).take(MOST).map(str::to_owned).collect(),
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::Role;

    use super::*;

    fn settings(claim: &str) -> Settings {
        let roles = [(Role::Viewer, ["staff"]), (Role::Operator, ["desk"]), (Role::Admin, ["it"])];
        Settings {
            issuer: "https://id.example:8443/realms/lab".into(),
            label: String::new(),
            client_id: String::new(),
            client_secret: None,
            secrets_dir: Default::default(),
            scopes: vec![],
            name: "preferred_username".into(),
            claim: claim.into(),
            roles: roles.map(|(role, values)| (role, values.map(str::to_owned).into())).into(),
        }
    }

    fn of(claim: &str, claims: Value) -> Result<Person, Fault> {
        person(&settings(claim), claims.as_object().expect("claims are an object"))
    }

    #[test]
    fn the_most_that_is_said_gives_the_role() {
        let role = |claim: &str, claims| of(claim, claims).map(|person| person.role);
        assert_eq!(role("groups", json!({"sub": "1", "groups": ["staff", "it", "x"]})), Ok(Some(Role::Admin)));
        assert_eq!(role("groups", json!({"sub": "1", "groups": "desk"})), Ok(Some(Role::Operator)));
        assert_eq!(role("groups", json!({"sub": "1", "groups": ["IT", " it", 7, null]})), Ok(None));
        assert_eq!(role("groups", json!({"sub": "1"})), Ok(None));
        assert_eq!(role("realm.roles", json!({"sub": "1", "realm": {"roles": ["staff"]}})), Ok(Some(Role::Viewer)));
        assert_eq!(
            role("https://x.example/roles", json!({"sub": "1", "https://x.example/roles": "it"})),
            Ok(Some(Role::Admin))
        );
    }

    #[test]
    fn people_have_names_that_can_be_shown() {
        let name = |claims| of("groups", claims).map(|person| format!("{}@{}", person.name, person.host));
        assert_eq!(name(json!({"sub": "1", "preferred_username": "ann"})).as_deref(), Ok("ann@id.example:8443"));
        assert_eq!(name(json!({"sub": "1", "preferred_username": "a\nb"})).as_deref(), Ok("1@id.example:8443"));
        assert!(name(json!({"sub": "", "preferred_username": 7})).is_err());
    }
}
