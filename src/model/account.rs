//! Accounts: who may do what on the pages.
//!
//! **No password is kept.** What is kept of one is an Argon2id print, made with a secret that lies in the state directory, so
//! that who reads the journal alone cannot try passwords against it. The same goes for invitations.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Moment, text::is_text, token::TokenPrint};

/// What an account is called, in facts too: lower-case letters, digits and inner `-`, `_` and `.`, at most 63.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

is_text!(AccountName);

/// Some text that cannot name an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cannot name an account: lower-case letters, digits and inner `-`, `_` and `.`, 63 at most")]
pub struct BadAccountName;

/// What is kept of a password: a PHC string of Argon2id. It is compared by whoever knows the secret that it was made with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordPrint(String);

impl PasswordPrint {
    /// The print with this text.
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How somebody shows that an account is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Proof {
    /// They know its password.
    Password {
        /// What is kept of it.
        print: PasswordPrint,
    },
    /// They hold an invitation, and are to choose a password.
    Invitation {
        /// What is kept of its code.
        print: TokenPrint,
        /// From when on it opens nothing any more.
        until: Moment,
    },
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// How somebody shows that it is theirs.
    pub proof: Proof,
    /// When it was made.
    pub created: Moment,
    /// Who had it made.
    pub by: String,
    /// The number of the fact that changed it last: whoever signed in before that is signed in no longer.
    pub changed: u64,
}

impl Account {
    /// Whether it is one of those who say who may do what, and can sign in.
    pub fn governs(&self) -> bool {
        self.role == Role::Admin && matches!(self.proof, Proof::Password { .. })
    }
}

/// What shall be done about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountOrder {
    /// Make one.
    Create {
        /// What it is called.
        name: AccountName,
        /// What it may do.
        role: Role,
        /// How somebody shows that it is theirs.
        proof: Proof,
        /// Only if there is none yet.
        first: bool,
        /// Who says so.
        by: String,
    },
    /// Give it another role.
    Role {
        /// Which.
        name: AccountName,
        /// What it may do from now on.
        role: Role,
        /// Who says so.
        by: String,
    },
    /// Give it another password, or an invitation to choose one.
    Proof {
        /// Which.
        name: AccountName,
        /// How somebody shows that it is theirs from now on.
        proof: Proof,
        /// Only if nobody has changed it since: [`Account::changed`].
        expects: Option<u64>,
        /// Who says so.
        by: String,
    },
    /// Let nobody sign in with it any more.
    Remove {
        /// Which.
        name: AccountName,
        /// Who says so.
        by: String,
    },
}

/// The fewest characters of a password. What is long needs no special ones (NIST SP 800-63B, section 5.1.1).
pub const SHORTEST_PASSWORD: usize = 12;
/// The most bytes of one.
pub const LONGEST_PASSWORD: usize = 512;
/// The fewest different characters: `aaaaaaaaaaaa` is long, and is the first that is tried.
const FEWEST_DIFFERENT: usize = 5;

/// Why something is no good as a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// It can be tried out.
    #[error("a password has {SHORTEST_PASSWORD} characters at least: three or four words are easily remembered")]
    Short,
    /// It would take long to look at.
    #[error("a password has {LONGEST_PASSWORD} bytes at most")]
    Long,
    /// It repeats itself.
    #[error("this password repeats a few characters: three or four words are easily remembered")]
    Simple,
    /// It is tried first.
    #[error("a password must not be made of the account's name")]
    Name,
}

/// Whether this will do as the password of this account.
pub fn check_password(name: &AccountName, password: &str) -> Result<(), BadPassword> {
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(BadPassword::Short);
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(BadPassword::Long);
    }
    let different: std::collections::BTreeSet<char> = password.chars().collect();
    if different.len() < FEWEST_DIFFERENT {
        return Err(BadPassword::Simple);
    }
    // What is left when the name is taken out must be something by itself.
    let rest = password.to_lowercase().replace(&name.0, "");
    let rest = rest.chars().filter(|c| c.is_alphabetic()).count();
    let named = password.to_lowercase().contains(&name.0) && name.0.len() > 2;
    if named && rest < SHORTEST_PASSWORD / 2 {
        return Err(BadPassword::Name);
    }
    Ok(())
}

/// What somebody who is signed in may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything but who did what.
    Viewer,
    /// Assign, arm, describe and forget devices, pin and evict images, settle proposals.
    Operator,
    /// Write personas: whoever does decides what devices become, so this is more than operating.
    Author,
    /// Say who may do what, and see who did.
    Admin,
}

/// Some text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: there are {all}", all = Role::ALL.map(Role::name).join(", "))]
pub struct NoRole(String);

impl Role {
    /// All there are, from the least.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Author, Self::Admin];

    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }

    /// What it may do, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Viewer => "looks at everything but who did what",
            Self::Operator => "assigns, arms, describes and forgets devices, pins and evicts images, settles proposals",
            Self::Author => "writes personas, and does what operators do",
            Self::Admin => "says who may do what, sees who did, and does what authors do",
        }
    }
}

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| NoRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = BadAccountName;

    fn from_str(text: &str) -> Result<Self, BadAccountName> {
        // The same words as an attribute's name: one rule for all that people make up.
        let fits = text.parse::<super::attribute::AttributeName>().is_ok();
        fits.then(|| Self(text.to_owned())).ok_or(BadAccountName)
    }
}

impl fmt::Debug for PasswordPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(print of a password)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_not_what_is_tried_first() {
        let name: AccountName = "administrator".parse().expect("a name");
        for good in ["correct horse battery", "zwölf Zeichen", "Xk3!pq9Zw0$m", "the administrator sleeps"] {
            assert_eq!(check_password(&name, good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", BadPassword::Short),
            ("elevenchars", BadPassword::Short),
            ("abababababababab", BadPassword::Simple),
            ("administrator", BadPassword::Name),
            ("Administrator2026!", BadPassword::Name),
        ] {
            assert_eq!(check_password(&name, bad), Err(why), "{bad}");
        }
        assert_eq!(check_password(&name, &"abcdefgh".repeat(100)), Err(BadPassword::Long));
    }

    #[test]
    fn what_is_kept_of_a_password_is_not_logged() {
        let print = PasswordPrint::new("$argon2id$v=19$secret".into());
        assert!(!format!("{:?}", Proof::Password { print }).contains("secret"));
    }
}
