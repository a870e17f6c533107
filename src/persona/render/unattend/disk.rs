//! The disk: held against what the persona says of it, wiped, and laid out, by Windows PE's own tools.
//!
//! ```text
//!   guard.vbs: exactly one disk fits, and it is number N ── no ──> the device is switched off
//!      │ yes
//!      v
//!   diskpart: EFI 260 MiB │ MSR 16 MiB │ Windows, the rest
//! ```

use crate::persona::{Persona, schema::Disk};

/// The partition that Windows is put on: EFI and MSR are before it.
pub(super) const WINDOWS_PARTITION: &str = "3";

/// How Windows names a disk.
const PREFIX: &str = r"\\.\PhysicalDrive";

/// The longest command that Setup takes.
#[cfg(test)]
const LONGEST: usize = 259;

/// The disk that a persona names, by its number.
pub(super) fn named(persona: &Persona) -> Option<(u8, &Disk)> {
    let disk = &persona.os.install.as_ref()?.disk;
    let number = disk.path.as_deref()?.strip_prefix(PREFIX)?;
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    Some((number.parse().ok().filter(|_| plain)?, disk))
}

/// Whether a serial number or a model can be written into the guard as it is.
pub(super) fn is_plain(text: &str) -> bool {
    (1..=60).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || " ._-/".contains(c))
}

/// The commands, each short enough: they write the two scripts, and run the second only when the first is content.
pub(super) fn commands(number: u8, disk: &Disk) -> Vec<String> {
    let layout = [
        format!("select disk {number}"),
        "clean".into(),
        "convert gpt".into(),
        "create partition efi size=260".into(),
        "format quick fs=fat32 label=System".into(),
        "create partition msr size=16".into(),
        "create partition primary".into(),
        "format quick fs=ntfs label=Windows".into(),
    ];
    let guard = guard(number, disk);
    let mut commands = written(&guard, r"X:\guard.vbs");
    commands.extend(written(&layout, r"X:\disk.txt"));
    let run = r"cscript.exe //nologo X:\guard.vbs && diskpart.exe /s X:\disk.txt";
    commands.push(format!(r#"cmd.exe /c "{run} || (wpeutil.exe shutdown & pause)""#));
    commands
}

/// The guard, line by line.
fn guard(number: u8, disk: &Disk) -> Vec<String> {
    let mut lines = vec![
        r#"Set wmi = GetObject("winmgmts:\\.\root\cimv2")"#.to_owned(),
        "fits = 0 : named = 0".to_owned(),
        r#"For Each disk In wmi.ExecQuery("SELECT * FROM Win32_DiskDrive")"#.to_owned(),
        "ok = True".to_owned(),
    ];
    let mut unless = |holds: String| lines.push(format!("If Not ({holds}) Then ok = False"));
    // Without anything to be known by, the number alone says which.
    if disk.serial.is_none() && disk.model.is_none() && disk.min_size.is_none() && disk.max_size.is_none() {
        unless(format!("disk.Index = {number}"));
    }
    if let Some(serial) = &disk.serial {
        unless(format!(r#"Trim(disk.SerialNumber & "") = "{}""#, serial.trim()));
    }
    if let Some(model) = &disk.model {
        unless(format!(r#"Left(Trim(disk.Model & ""), {}) = "{model}""#, model.len()));
    }
    if let Some(least) = disk.min_size {
        unless(format!(r#"CDbl("0" & disk.Size) >= {}"#, least.0));
    }
    if let Some(most) = disk.max_size {
        unless(format!(r#"CDbl("0" & disk.Size) <= {}"#, most.0));
    }
    lines.extend([
        "If ok Then fits = fits + 1".to_owned(),
        format!("If ok And disk.Index = {number} Then named = 1"),
        "Next".to_owned(),
        "If fits = 1 And named = 1 Then WScript.Quit 0".to_owned(),
        format!(r#"WScript.Echo "Disk {number} is not the one that the persona names: " & fits & " disks fit.""#),
        "WScript.Quit 1".to_owned(),
    ]);
    lines
}

/// Commands that write a file line by line.
fn written(lines: &[String], path: &str) -> Vec<String> {
    lines.iter().map(|line| format!(r#"cmd.exe /c ">>{path} echo {}""#, echoed(line))).collect()
}

/// A line as `cmd.exe` hands it to `echo`: outside of double quotes, a caret takes a character's meaning away.
fn echoed(line: &str) -> String {
    let mut quoted = false;
    let mut text = String::new();
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '&' | '<' | '>' | '|' | '^' | '(' | ')' if !quoted => text.push('^'),
            _ => {}
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bytes;

    #[test]
    fn commands_are_short_and_hold_what_is_said_of_the_disk() {
        let disk = Disk {
            path: Some(r"\\.\PhysicalDrive1".into()),
            serial: Some("S".repeat(60)),
            model: Some("M".repeat(60)),
            min_size: Some(Bytes(u64::MAX)),
            max_size: Some(Bytes(u64::MAX)),
        };
        let commands = commands(1, &disk);
        assert!(commands.iter().all(|command| command.len() <= LONGEST), "{commands:#?}");
        assert!(commands.iter().any(|command| command.contains("select disk 1")));
        assert_eq!(echoed(r#"If Not (a & "&") Then"#), r#"If Not ^(a ^& "&"^) Then"#);
    }

    #[test]
    fn a_number_that_no_disk_has_is_none() {
        assert!(!is_plain("50% \"off\"") && is_plain("Samsung SSD 980"));
    }
}
