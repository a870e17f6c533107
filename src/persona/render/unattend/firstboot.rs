//! `firstboot.ps1`: what Setup has no words for, at the first logon.
//!
//! Each field is a step. A step that fails is told in the report and keeps no other from running.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;

use crate::persona::{
    Persona,
    render::Subject,
    schema::{Firewall, Policy, Protocol},
};

use super::{
    computer_name, network,
    powershell::{self, array, check, foreign_step, literal, step},
    word,
};

/// The script.
pub(in crate::persona::render) fn first_boot(persona: &Persona, subject: &Subject<'_>) -> String {
    let mut script = powershell::prologue(subject.report_url);
    script.push_str(&network::steps(persona));
    accounts(&mut script, persona);
    packages(&mut script, persona);
    files(&mut script, persona);
    preferences(&mut script, persona);
    updates(&mut script, persona);
    ssh(&mut script, persona);
    services(&mut script, persona);
    if let Some(firewall) = &persona.security.firewall {
        script.push_str(&step("firewall", &rules(firewall)));
    }
    encryption(&mut script, persona, subject);
    for (at, command) in persona.apps.commands.iter().enumerate() {
        script.push_str(&foreign_step(&format!("command {}", at + 1), command));
    }
    if !persona.raw.windows.is_empty() {
        script.push_str(&foreign_step("raw.windows", &persona.raw.windows));
    }
    checks(&mut script, persona, subject);
    script.push_str(powershell::EPILOGUE);
    script
}

/// Groups, their members, and what passwords must be like.
fn accounts(script: &mut String, persona: &Persona) {
    let security = &persona.security;
    for group in &security.groups {
        let name = literal(&group.name);
        let body = format!(
            "if (-not (Get-LocalGroup -Name {name} -ErrorAction SilentlyContinue)) {{ New-LocalGroup -Name {name} }}"
        );
        script.push_str(&step(&format!("group {}", group.name), &body));
    }
    for user in security.users.iter().filter(|user| !user.groups.is_empty()) {
        let groups = array(user.groups.iter().map(String::as_str));
        let body = format!(
            "foreach ($group in {groups}) {{ Add-LocalGroupMember -Group $group -Member {} }}",
            literal(&user.name)
        );
        script.push_str(&step(&format!("groups of {}", user.name), &body));
    }
    let mut body = String::new();
    if let Some(length) = security.passwords.min_length {
        let _ = writeln!(body, "& net.exe accounts /minpwlen:{length}");
    }
    // Windows would let passwords end after 42 days, which no persona asked for.
    let _ = match security.passwords.max_days {
        Some(days) => writeln!(body, "& net.exe accounts /maxpwage:{days}"),
        None => writeln!(body, "& net.exe accounts /maxpwage:unlimited"),
    };
    script.push_str(&step("passwords", &body));
}

/// Packages, by winget, which a new account has only some while after its first logon.
fn packages(script: &mut String, persona: &Persona) {
    if persona.packages().next().is_none() {
        return;
    }
    script.push_str(&step(
        "winget",
        "Add-AppxPackage -RegisterByFamilyName -MainPackage Microsoft.DesktopAppInstaller_8wekyb3d8bbwe\n\
         foreach ($try in 1..60) {\n\
         if (Get-Command winget.exe -ErrorAction SilentlyContinue) { return }\n\
         Start-Sleep -Seconds 5\n\
         }\n\
         throw 'this Windows has no winget'",
    ));
    for package in persona.packages() {
        let words = "--exact --source winget --silent --accept-package-agreements --accept-source-agreements";
        let body = format!("& winget.exe install --id {} {words}", literal(package));
        script.push_str(&step(&format!("package {package}"), &body));
    }
}

/// Files, to the byte: in base64 no character means anything.
fn files(script: &mut String, persona: &Persona) {
    for file in &persona.apps.files {
        let body = format!(
            "$path = {}\n\
             [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))\n\
             [IO.File]::WriteAllBytes($path, [Convert]::FromBase64String({}))",
            literal(&file.path),
            literal(&STANDARD.encode(&file.content)),
        );
        script.push_str(&step(&format!("file {}", file.path), &body));
    }
}

fn preferences(script: &mut String, persona: &Persona) {
    let preferences = &persona.preferences;
    if let Some(editor) = &preferences.editor {
        let editor = literal(editor);
        let body = format!(
            "foreach ($name in 'EDITOR', 'VISUAL') {{ [Environment]::SetEnvironmentVariable($name, {editor}, 'Machine') }}"
        );
        script.push_str(&step("editor", &body));
    }
    let Some(wallpaper) = &preferences.wallpaper else { return };
    let mut body = format!("$picture = {}\n", literal(wallpaper));
    if wallpaper.starts_with("http") {
        body.push_str(
            "$from = $picture\n\
             $picture = \"$env:SystemRoot\\Web\\greenroom\" + [IO.Path]::GetExtension(([uri]$from).AbsolutePath)\n\
             Invoke-WebRequest -Uri $from -OutFile $picture -UseBasicParsing\n",
        );
    }
    // Of this account, and of the one that every new account is made from.
    body.push_str(
        "Set-ItemProperty -Path 'HKCU:\\Control Panel\\Desktop' -Name Wallpaper -Value $picture\n\
         & reg.exe load HKU\\Greenroom \"$env:SystemDrive\\Users\\Default\\NTUSER.DAT\"\n\
         & reg.exe add \"HKU\\Greenroom\\Control Panel\\Desktop\" /v Wallpaper /t REG_SZ /d $picture /f\n\
         & reg.exe unload HKU\\Greenroom",
    );
    script.push_str(&step("wallpaper", &body));
}

/// Windows updates itself, in its own way, unless a policy says something: 4 is to download and to install by itself.
fn updates(script: &mut String, persona: &Persona) {
    let (name, value) = match persona.security.automatic_updates {
        None => return,
        Some(true) => ("AUOptions", 4),
        Some(false) => ("NoAutoUpdate", 1),
    };
    let body = format!(
        "$policy = 'HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU'\n\
         [void](New-Item -Path $policy -Force)\n\
         Set-ItemProperty -Path $policy -Name {name} -Type DWord -Value {value}"
    );
    script.push_str(&step("updates", &body));
}

/// The SSH server, where somebody is to come in by it. The keys of administrators lie in one file of theirs.
fn ssh(script: &mut String, persona: &Persona) {
    let users = &persona.security.users;
    let keys: Vec<&str> = users.iter().flat_map(|user| &user.ssh_keys).map(String::as_str).collect();
    let passwords = persona.security.ssh.password_login;
    if keys.is_empty() && !passwords {
        return;
    }
    let passwords = if passwords { "yes" } else { "no" };
    let body = format!(
        "Add-WindowsCapability -Online -Name 'OpenSSH.Server~~~~0.0.1.0'\n\
         Set-Service -Name sshd -StartupType Automatic\n\
         Start-Service -Name sshd\n\
         $keys = \"$env:ProgramData\\ssh\\administrators_authorized_keys\"\n\
         [IO.File]::WriteAllLines($keys, [string[]]{})\n\
         & icacls.exe $keys /inheritance:r /grant '*S-1-5-32-544:F' /grant '*S-1-5-18:F'\n\
         $config = \"$env:ProgramData\\ssh\\sshd_config\"\n\
         $lines = @('PasswordAuthentication {passwords}') + [IO.File]::ReadAllLines($config)\n\
         [IO.File]::WriteAllLines($config, [string[]]$lines)\n\
         Restart-Service -Name sshd",
        array(keys)
    );
    script.push_str(&step("ssh", &body));
}

fn services(script: &mut String, persona: &Persona) {
    for name in &persona.apps.services.enable {
        let quoted = literal(name);
        let body = format!("Set-Service -Name {quoted} -StartupType Automatic\nStart-Service -Name {quoted}");
        script.push_str(&step(&format!("start {name}"), &body));
    }
    for name in &persona.apps.services.mask {
        let quoted = literal(name);
        let body = format!("Stop-Service -Name {quoted} -Force\nSet-Service -Name {quoted} -StartupType Disabled");
        script.push_str(&step(&format!("disable {name}"), &body));
    }
}

/// The firewall: Windows' own rules are put out of force but for those of the network itself (DHCP, ICMPv6), so that what
/// may come in is what the persona says, as on Linux.
fn rules(firewall: &Firewall) -> String {
    let default = match firewall.default {
        Policy::Deny => "Block",
        Policy::Allow => "Allow",
    };
    let mut body = String::from(
        "Get-NetFirewallRule -Direction Inbound -Action Allow -Enabled True |\n\
         Where-Object { $_.Group -ne '@FirewallAPI.dll,-25000' } | Disable-NetFirewallRule\n\
         New-NetFirewallRule -DisplayName 'Greenroom ping' -Direction Inbound -Action Allow -Protocol ICMPv4 -IcmpType 8\n",
    );
    for allow in &firewall.allow {
        let Some((protocol, ports)) = allow.ports() else { continue };
        let protocol = match protocol {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        };
        let networks: Vec<String> = allow.from.iter().map(IpNet::trunc).map(|net| net.to_string()).collect();
        let from = match networks.is_empty() {
            true => String::new(),
            false => format!(" -RemoteAddress {}", array(networks.iter().map(String::as_str))),
        };
        let _ = writeln!(
            body,
            "New-NetFirewallRule -DisplayName 'Greenroom {protocol} {ports}' -Direction Inbound -Action Allow \
             -Protocol {protocol} -LocalPort '{ports}'{from}"
        );
    }
    body + &format!("Set-NetFirewallProfile -All -Enabled True -DefaultInboundAction {default}")
}

/// BitLocker: the TPM opens the disk, and the secret is its recovery password: eight groups of six digits.
fn encryption(script: &mut String, persona: &Persona, subject: &Subject<'_>) {
    let Some(encryption) = &persona.security.encryption else { return };
    let secret = subject.secrets.get(&encryption.passphrase_secret).unwrap_or_default();
    let body = format!(
        "Add-BitLockerKeyProtector -MountPoint $env:SystemDrive -RecoveryPasswordProtector -RecoveryPassword {}\n\
         Enable-BitLocker -MountPoint $env:SystemDrive -EncryptionMethod XtsAes256 -UsedSpaceOnly -SkipHardwareTest \
         -TpmProtector",
        literal(secret)
    );
    script.push_str(&step("encryption", &body));
}

/// What the persona promised, held against what is there.
fn checks(script: &mut String, persona: &Persona, subject: &Subject<'_>) {
    script.push_str(&check("hostname", &computer_name(persona, subject), "$env:COMPUTERNAME"));
    for user in &persona.security.users {
        let see = format!("(Get-LocalUser -Name {}).Name", literal(&user.name));
        script.push_str(&check(&format!("user {}", user.name), "", &see));
    }
    if let Some(zone) = word::time_zone(persona) {
        script.push_str(&check("timezone", zone, "(Get-TimeZone).Id"));
    }
    let requires = &persona.resources.requires;
    if let Some(cpus) = requires.cpus {
        let see = format!("$n = [Environment]::ProcessorCount; if ($n -ge {cpus}) {{ '{cpus}+' }} else {{ $n }}");
        script.push_str(&check("cpus", &format!("{cpus}+"), &see));
    }
    if let Some(disk) = requires.disk {
        let kib = disk.0 >> 10;
        let see = format!(
            "$n = [math]::Floor((Get-Volume -DriveLetter $env:SystemDrive[0]).Size / 1024); \
             if ($n -ge {kib}) {{ '{kib}+' }} else {{ $n }}"
        );
        script.push_str(&check("disk", &format!("{kib}+"), &see));
    }
    for service in &persona.apps.services.enable {
        let see = format!("(Get-Service -Name {}).Status", literal(service));
        script.push_str(&check(&format!("service {service}"), "Running", &see));
    }
}
