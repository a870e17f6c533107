//! What somebody did, as the rest of a sentence that begins with who did it: "assigned lab-debian to 52:54:00:77:00:11, because
//! ticket 4711".

use crate::model::{DeviceId, Fact, account::Proof, attribute::Changes};

/// What a fact says was done; `None` for what nobody did. On the page of the device `here` that is about, it is "it".
pub fn said(fact: &Fact, here: Option<DeviceId>) -> Option<String> {
    let named = |device: &DeviceId| if here == Some(*device) { "it".to_owned() } else { device.to_string() };
    Some(match fact {
        Fact::PersonaAssigned { device, persona, not_before, expires, why, .. } => {
            let from = not_before.map(|from| format!(", from {from} on")).unwrap_or_default();
            let until = expires.map(|until| format!(", until {until}")).unwrap_or_default();
            let why = why.as_ref().map(|why| format!(", because {why}")).unwrap_or_default();
            format!("assigned {persona} to {}{from}{until}{why}", named(device))
        }
        Fact::PersonaUnassigned { device, .. } => format!("took back what was assigned to {}", named(device)),
        Fact::DeviceArmed { device, .. } => {
            format!("armed {}: its disk may be wiped at its next boot", named(device))
        }
        Fact::DeviceDisarmed { device, .. } => format!("disarmed {}", named(device)),
        Fact::DeviceForgotten { device, .. } => format!("had everything about {} forgotten", named(device)),
        Fact::DeviceDescribed { device, changes, .. } => format!("described {}: {}", named(device), told(changes)),
        Fact::UserDescribed { user, changes, active, .. } => {
            let active = match active {
                Some(true) => " as active",
                Some(false) => " as gone",
                None => "",
            };
            let what = if changes.is_empty() { String::new() } else { format!(": {}", told(changes)) };
            format!("described {user}{active}{what}")
        }
        Fact::UserForgotten { user, .. } => format!("had everything about {user} forgotten"),
        Fact::ProposalDeclined { device, persona, .. } => {
            format!("declined {persona}, which was proposed for {}", named(device))
        }
        Fact::ImagePinned { image, tier, .. } => format!("pinned {image} to {tier}"),
        Fact::ImageUnpinned { image, .. } => format!("took the pin of {image} back"),
        Fact::ImageEvicted { name, freed, only_ram, .. } => {
            let whence = if *only_ram { "RAM" } else { "the cache" };
            format!("evicted {name} from {whence}, which freed {freed}")
        }
        Fact::TokenCreated { name, scopes, expires, .. } => {
            let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
            let until = expires.map(|until| format!(", until {until}")).unwrap_or_default();
            format!("made the token {name}, which allows {}{until}", scopes.join(", "))
        }
        Fact::TokenRevoked { name, .. } => format!("revoked the token {name}"),
        Fact::AccountCreated { name, role, proof, .. } => match proof {
            Proof::Password { .. } => format!("made the account {name}, {} {role}", article(role.name())),
            Proof::Invitation { until, .. } => format!("invited {name} as {role}, until {until}"),
        },
        Fact::AccountChanged { name, role, proof, .. } => {
            let proof = proof.as_ref().map(|proof| match proof {
                Proof::Password { .. } => format!("gave {name} a new password"),
                Proof::Invitation { until, .. } => format!("invited {name} anew, until {until}"),
            });
            let role = role.map(|role| format!("made {name} {} {role}", article(role.name())));
            [role, proof].into_iter().flatten().collect::<Vec<_>>().join(" and ")
        }
        Fact::AccountRemoved { name, .. } => format!("removed the account {name}"),
        // A key is said beside what was ordered with it, and is nothing done.
        Fact::OrdersTaken { .. } => return None,
        Fact::LeaseOffered { .. }
        | Fact::LeaseBound { .. }
        | Fact::LeaseReleased { .. }
        | Fact::LeaseDeclined { .. }
        | Fact::DeviceSeen { .. }
        | Fact::DevicePlaced { .. }
        | Fact::HardwareReported { .. }
        | Fact::BootStarted { .. }
        | Fact::BootMoved { .. }
        | Fact::BootPlanned { .. }
        | Fact::DeviceInstalled { .. } => return None,
    })
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn told(changes: &Changes) -> String {
    let one = |(name, value): (_, &Option<_>)| match value {
        Some(value) => format!("{name} is {value}"),
        None => format!("{name} is not said any more"),
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, DeviceId, Digest, MacAddr, Moment, Role};

    #[test]
    fn what_was_done_reads_as_a_sentence() {
        let mac: MacAddr = "52:54:00:77:00:11".parse().expect("a port");
        let (device, by) = (DeviceId::new(mac), "helpdesk".to_owned());
        let assigned = Fact::PersonaAssigned {
            device,
            persona: "lab-debian".parse().expect("a name"),
            by: by.clone(),
            not_before: None,
            expires: Some(Moment::from_millis(1_795_520_000_000)),
            why: Some("ticket 4711".into()),
        };
        let words = "assigned lab-debian to 52:54:00:77:00:11, until 2026-11-24T11:33:20Z, because ticket 4711";
        assert_eq!(said(&assigned, None).as_deref(), Some(words));
        let other = DeviceId::new("52:54:00:77:00:12".parse().expect("a port"));
        let words = "assigned lab-debian to it, until 2026-11-24T11:33:20Z, because ticket 4711";
        assert_eq!(said(&assigned, Some(device)).as_deref(), Some(words), "on its own page");
        assert_eq!(said(&assigned, Some(other)), said(&assigned, None), "on the page of another");
        let changes = [
            ("role".parse().expect("a name"), Some("lab".parse().expect("a value"))),
            ("desk".parse().expect("a name"), None),
        ];
        let described = Fact::DeviceDescribed { device, changes: changes.into(), by: by.clone() };
        let words = "described 52:54:00:77:00:11: desk is not said any more, role is lab";
        assert_eq!(said(&described, None).as_deref(), Some(words));
        let digest = Digest::new([7; 32]);
        let evicted =
            Fact::ImageEvicted { digest, name: "tiny/kernel".into(), freed: Bytes(4 << 20), only_ram: false, by };
        assert_eq!(said(&evicted, None).as_deref(), Some("evicted tiny/kernel from the cache, which freed 4.0 MiB"));
        let name = "bob".parse().expect("a name");
        let promoted = Fact::AccountChanged { name, role: Some(Role::Author), proof: None, by: "ann".into() };
        assert_eq!(said(&promoted, None).as_deref(), Some("made bob an author"));
    }
}
