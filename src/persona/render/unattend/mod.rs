//! Windows 10 and 11: the answer file of Windows Setup, and a script for the first logon.
//!
//! Setup reads `unattend.xml` in three passes, and knows disks, accounts, names and languages. All else is PowerShell:
//! [`firstboot`] renders `firstboot.ps1`, which the first logon of the first administrator fetches, runs and removes. That
//! logon is automatic, and the only one that is.
//!
//! Which disk is wiped is said by its number, `\\.\PhysicalDrive0`, since that is how Setup itself names disks: it cannot be
//! told to look for a serial number. What else the persona says of the disk (serial number, model, size) is held against it
//! before anything is wiped, by a script of a few lines ([`disk`]); Windows PE has WMI and the Windows Script Host, but no
//! PowerShell. When not exactly one disk fits, or it is another than the one with that number, the device is switched off.
//!
//! The disk is laid out for UEFI. Setup puts Windows' boot manager in front of the network, so that the restart inside an
//! installation leads back into it; the report `installed` closes the latch as soon as the new system has a network.

mod disk;
mod firstboot;
mod network;
mod powershell;
mod refuse;
mod word;
mod xml;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    model::Arch,
    persona::{Persona, schema::User},
};

use super::Subject;

pub(super) use firstboot::first_boot;
pub(super) use refuse::refuses;
use xml::Xml;

/// Where the script lies while it runs.
const SCRIPT: &str = r"C:\Greenroom\firstboot.ps1";

/// The answer file.
pub(super) fn answers(persona: &Persona, subject: &Subject<'_>) -> String {
    let mut xml = Xml::begin(architecture(persona).unwrap_or("amd64"));
    xml.comment(&format!("Rendered by Greenroom from persona {} for {}.", subject.persona, subject.mac));
    xml.pass("windowsPE", |xml| {
        xml.component("Microsoft-Windows-International-Core-WinPE", |xml| {
            xml.within("SetupUILanguage", |xml| xml.leaf("UILanguage", &word::ui_language(persona)));
            languages(xml, persona);
        });
        xml.component("Microsoft-Windows-Setup", |xml| setup(xml, persona));
    });
    xml.pass("specialize", |xml| {
        xml.component("Microsoft-Windows-Shell-Setup", |xml| {
            xml.leaf("ComputerName", &computer_name(persona, subject));
            xml.leaf("TimeZone", word::time_zone(persona).unwrap_or("UTC"));
        });
        xml.component("Microsoft-Windows-Deployment", |xml| {
            xml.within("RunSynchronous", |xml| {
                xml.listed("RunSynchronousCommand", |xml| {
                    xml.leaf("Order", "1");
                    xml.leaf("Path", &report_installed(subject));
                    xml.leaf("Description", "Tell Greenroom that Windows is on the disk");
                });
            });
        });
    });
    xml.pass("oobeSystem", |xml| {
        xml.component("Microsoft-Windows-International-Core", |xml| languages(xml, persona));
        xml.component("Microsoft-Windows-Shell-Setup", |xml| welcome(xml, persona, subject));
    });
    xml.end()
}

/// The processor architecture, as Windows names it.
fn architecture(persona: &Persona) -> Option<&'static str> {
    match persona.os.arch.first() {
        None | Some(Arch::X64) => Some("amd64"),
        Some(Arch::Arm64) => Some("arm64"),
        Some(Arch::Ia32) => Some("x86"),
        Some(_) => None,
    }
}

fn languages(xml: &mut Xml, persona: &Persona) {
    let locale = word::locale(persona).unwrap_or_else(|| "en-US".into());
    xml.leaf("InputLocale", word::keyboard(persona).unwrap_or("0409:00000409"));
    xml.leaf("SystemLocale", &locale);
    xml.leaf("UILanguage", &word::ui_language(persona));
    xml.leaf("UserLocale", &locale);
}

fn setup(xml: &mut Xml, persona: &Persona) {
    let Some((number, disk)) = disk::named(persona) else { return };
    xml.within("RunSynchronous", |xml| {
        for (at, command) in disk::commands(number, disk).iter().enumerate() {
            xml.listed("RunSynchronousCommand", |xml| {
                xml.leaf("Order", &(at + 1).to_string());
                xml.leaf("Path", command);
            });
        }
    });
    xml.within("ImageInstall", |xml| {
        xml.within("OSImage", |xml| {
            xml.within("InstallTo", |xml| {
                xml.leaf("DiskID", &number.to_string());
                xml.leaf("PartitionID", disk::WINDOWS_PARTITION);
            });
        });
    });
    xml.within("UserData", |xml| {
        // Without a key here, the firmware's own is used.
        xml.within("ProductKey", |xml| xml.leaf("WillShowUI", "OnError"));
        xml.leaf("AcceptEula", "true");
    });
}

/// The host name as Windows takes it: 15 characters, and not digits alone. What is cut off is made up for by the end of the
/// MAC address, so that two devices still have two names.
pub(super) fn computer_name(persona: &Persona, subject: &Subject<'_>) -> String {
    let full = subject.hostname(persona);
    let label = full.split('.').next().unwrap_or_default();
    let [.., a, b, c] = subject.mac.octets();
    let digits = label.chars().all(|c| c.is_ascii_digit());
    if label.len() <= 15 && !digits {
        return label.to_owned();
    }
    let start: String = if digits { "pc".into() } else { label.chars().take(8).collect() };
    format!("{}-{a:02x}{b:02x}{c:02x}", start.trim_end_matches('-'))
}

/// Tries until the network is there, which may take a while: drivers are being installed.
fn report_installed(subject: &Subject<'_>) -> String {
    let post = r#"-H Content-Type:application/json -d "{\"phase\":\"installed\"}""#;
    let curl = format!("curl.exe -fsS -m 20 {post} {}", subject.report_url);
    format!(r#"cmd.exe /c "for /L %i in (1,1,30) do ({curl} && exit 0 || ping -n 6 127.0.0.1 >nul)""#)
}

/// The first start: no questions, the accounts, and the script.
fn welcome(xml: &mut Xml, persona: &Persona, subject: &Subject<'_>) {
    xml.within("OOBE", |xml| {
        for page in ["HideEULAPage", "HideLocalAccountScreen", "HideOEMRegistrationScreen", "HideOnlineAccountScreens"]
        {
            xml.leaf(page, "true");
        }
        xml.leaf("HideWirelessSetupInOOBE", "true");
        xml.leaf("ProtectYourPC", "3");
    });
    let users = &persona.security.users;
    if !users.is_empty() {
        xml.within("UserAccounts", |xml| {
            xml.within("LocalAccounts", |xml| {
                for user in users {
                    xml.listed("LocalAccount", |xml| {
                        xml.leaf("Name", &user.name);
                        xml.leaf("DisplayName", if user.full_name.is_empty() { &user.name } else { &user.full_name });
                        xml.leaf("Group", if user.sudo { "Administrators" } else { "Users" });
                        password(xml, user, subject);
                    });
                }
            });
        });
    }
    let Some(first) = users.iter().find(|user| user.sudo) else { return };
    xml.within("AutoLogon", |xml| {
        xml.leaf("Enabled", "true");
        xml.leaf("Username", &first.name);
        xml.leaf("LogonCount", "1");
        password(xml, first, subject);
    });
    let url = format!("{}firstboot.ps1", subject.seed_url);
    let fetch = format!("curl.exe -fsS --create-dirs -o {SCRIPT} {url}");
    let commands = [
        format!(r#"cmd.exe /c "for /L %i in (1,1,60) do ({fetch} && exit 0 || ping -n 6 127.0.0.1 >nul)""#),
        format!("powershell.exe -NoProfile -ExecutionPolicy Bypass -File {SCRIPT}"),
    ];
    xml.within("FirstLogonCommands", |xml| {
        for (at, command) in commands.iter().enumerate() {
            xml.listed("SynchronousCommand", |xml| {
                xml.leaf("Order", &(at + 1).to_string());
                xml.leaf("CommandLine", command);
            });
        }
    });
}

/// A password as the format hides it from a glance: with the name of its element behind it, in UTF-16, in base64.
fn password(xml: &mut Xml, user: &User, subject: &Subject<'_>) {
    let secret = user.password_secret.as_ref().and_then(|name| subject.secrets.get(name)).unwrap_or_default();
    let bytes: Vec<u8> = format!("{secret}Password").encode_utf16().flat_map(u16::to_le_bytes).collect();
    xml.within("Password", |xml| {
        xml.leaf("Value", &STANDARD.encode(bytes));
        xml.leaf("PlainText", "false");
    });
}
