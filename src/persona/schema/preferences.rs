//! What its user likes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What its user likes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    /// The desktop; none when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desktop: Option<Desktop>,
    /// The languages of messages, the best first: `de:en`. That of the locale when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The locale: `de_DE.UTF-8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The keyboard layout: `de`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<String>,
    /// The time zone: `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The login shell of users that name none; `/bin/bash` when not given. Its package is listed under `apps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// The editor that programs call: `vim`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub editor: Option<String>,
    /// The picture behind the desktop: a file on the device, or an `http(s):` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallpaper: Option<String>,
    /// Settings of GNOME and its programs, by path: `org/gnome/desktop/interface/color-scheme: "'prefer-dark'"`. Values are
    /// written as `dconf write` takes them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dconf: BTreeMap<String, String>,
}

/// Desktops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Desktop {
    /// GNOME.
    Gnome,
    /// KDE Plasma.
    Kde,
    /// Xfce.
    Xfce,
}

impl Desktop {
    /// The name that documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gnome => "gnome",
            Self::Kde => "kde",
            Self::Xfce => "xfce",
        }
    }
}
