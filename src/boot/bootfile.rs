//! What a client's firmware is told to fetch, and how it must be told.

use std::net::Ipv4Addr;

use crate::{
    model::{
        Arch, BootId, Device, Firmware, Refusal,
        dhcp::{BootClient, BootOptions, VendorOptions},
        site::{BootPolicy, DhcpMode, Site},
    },
    wire::paths::{BootPath, TftpName, server_url},
};

use super::matching;

/// The boot options for one client. `server` is this daemon's address on the client's link: URLs name it by number, so
/// that no firmware needs DNS (QUIRKS rows 11 and 27).
pub fn bootfile(
    site: &Site,
    device: &Device,
    client: &BootClient,
    boot: BootId,
    server: Ipv4Addr,
) -> Result<BootOptions, Refusal> {
    let http = |path: BootPath| format!("{}{path}", server_url(server, site.http_port));
    let bootfile = match client.firmware {
        Firmware::IpxeBios | Firmware::IpxeEfi => http(BootPath::Start { boot }),
        Firmware::EfiHttp => http(BootPath::Nbp { boot, name: nbp(&site.boot, device, client)? }),
        Firmware::Bios | Firmware::EfiPxe | Firmware::RpiBoot => {
            TftpName::Nbp { boot: Some(boot), name: nbp(&site.boot, device, client)? }.to_string()
        }
    };
    Ok(BootOptions {
        flavour: client.flavour,
        bootfile: Some(bootfile),
        vendor: vendor(&site.boot, device, client),
        in_option_67: matching::quirk(&site.boot, device, |quirk| quirk.option_67).unwrap_or(true),
        ipxe_no_proxy: client.firmware.is_ipxe() && site.mode == DhcpMode::Full,
    })
}

/// Option 43. A BIOS ROM is told to skip discovery; UEFI ignores offers whose menu it cannot read, so it gets none and
/// may ask again on 4011 (QUIRKS rows 4 and 5). Models of the other school are the operator's to name; iPXE needs neither.
fn vendor(policy: &BootPolicy, device: &Device, client: &BootClient) -> VendorOptions {
    let quirk = || matching::quirk(policy, device, |quirk| quirk.option_43).filter(|_| !client.firmware.is_ipxe());
    match (client.boot_item, client.firmware) {
        (Some(item), _) => VendorOptions::BootItem(item),
        (None, Firmware::Bios | Firmware::RpiBoot) => quirk().unwrap_or(VendorOptions::UseBootfile),
        (None, _) => quirk().unwrap_or(VendorOptions::None),
    }
}

/// The NBP for this firmware and architecture: the best of those at hand that it can run.
fn nbp(policy: &BootPolicy, device: &Device, client: &BootClient) -> Result<String, Refusal> {
    let arch = client.arch.ok_or_else(|| Refusal::UnknownArch { codes: client.arch_codes.clone() })?;
    let fitting: &[&str] = match (arch, client.firmware) {
        (Arch::X64, Firmware::Bios) => &["undionly.kpxe"],
        (Arch::X64, _) => &[uefi_nbp(policy, device), "snponly.efi", "ipxe.efi"],
        (Arch::Arm64, Firmware::EfiPxe | Firmware::EfiHttp) => &["snponly-arm64.efi", "ipxe-arm64.efi"],
        (Arch::Ia32, Firmware::EfiPxe | Firmware::EfiHttp) => &["ipxe-ia32.efi"],
        _ => &[],
    };
    fitting.iter().find_map(|name| policy.nbps.get(*name)).cloned().ok_or(Refusal::NoNbp { arch })
}

/// `snponly.efi` drives the card through the firmware that just booted from it, so it works wherever firmware does, and
/// leaves the card to the firmware when the device is sent to its disk.
fn uefi_nbp<'a>(policy: &'a BootPolicy, device: &Device) -> &'a str {
    let ruled = policy.uefi_nbp.iter().find(|rule| matching::fits(&rule.when, device, None));
    ruled.map_or("snponly.efi", |rule| &rule.nbp)
}
