//! The options that firmware adds to DHCP: 43, 60, 77, 82, 93, 94, 97, 118, 175 (RFC 4578, RFC 3046, iPXE).

use std::net::Ipv4Addr;

use crate::model::{
    Arch, Firmware, MacAddr, Oui, SmbiosUuid,
    dhcp::{BootClient, BootFlavour, VendorOptions},
};

use super::option_scan::{Options, inner};

/// Option 60 of a client that boots by TFTP, and the one that it wants to see in the answer.
const PXE_CLIENT: &str = "PXEClient";
/// The same for UEFI HTTP Boot.
const HTTP_CLIENT: &str = "HTTPClient";

/// PXE_DISCOVERY_CONTROL inside option 43, and "skip discovery, use the bootfile" (QUIRKS row 4).
const DISCOVERY_CONTROL: [u8; 3] = [6, 1, 8];
/// PXE_BOOT_ITEM inside option 43 (QUIRKS row 8).
const BOOT_ITEM: u8 = 71;

/// What the Raspberry Pi's ROM looks for inside a PXE menu (QUIRKS row 37): one boot server of type 0 with this name.
const RASPBERRY_PI_MENU: &[u8] = b"\x06\x01\x03\x0a\x04\x00PXE\x09\x14\x00\x00\x11Raspberry Pi Boot\xff";

/// Ports of Raspberry Pi boards, whose ROM claims architecture 0 (QUIRKS row 37).
const RASPBERRY_PI: [Oui; 6] = [
    Oui::new([0xb8, 0x27, 0xeb]),
    Oui::new([0xdc, 0xa6, 0x32]),
    Oui::new([0xe4, 0x5f, 0x01]),
    Oui::new([0x28, 0xcd, 0xc1]),
    Oui::new([0xd8, 0x3a, 0xdd]),
    // The Raspberry Pi 5's, later than the row.
    Oui::new([0x2c, 0xcf, 0x67]),
];

/// What the packet says of booting. `None` when it comes from no boot client (QUIRKS row 1): that takes a vendor class
/// of PXE or HTTP Boot or iPXE's marks, and an architecture. Options 94 and 97 may be missing or malformed.
pub fn boot_client(mac: MacAddr, options: &Options) -> Option<BootClient> {
    let class = options.get(&60).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
    let ipxe = is_ipxe(options);
    let flavour = match (class.starts_with(HTTP_CLIENT), class.starts_with(PXE_CLIENT) || ipxe) {
        (true, _) => BootFlavour::Http,
        (false, true) => BootFlavour::Pxe,
        // Some leave option 60 out once they have an offer: the Raspberry Pi of its REQUEST, others of what they ask on
        // 4011. Options 93 and 97 are PXE's own all the same (RFC 4578).
        (false, false) if is_raspberry_pi(mac, options) => BootFlavour::Pxe,
        (false, false) if !options.contains_key(&60) && options.contains_key(&97) => BootFlavour::Pxe,
        (false, false) => return None,
    };
    let codes: Vec<u16> =
        options.get(&93)?.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let known = codes.iter().find_map(|code| architecture(*code));
    let efi = !matches!(known, Some((_, Platform::Bios)));
    let firmware = match (ipxe, known) {
        (true, _) if efi => Firmware::IpxeEfi,
        (true, _) => Firmware::IpxeBios,
        (false, _) if is_raspberry_pi(mac, options) => Firmware::RpiBoot,
        (false, Some((_, Platform::EfiHttp))) => Firmware::EfiHttp,
        (false, _) if flavour == BootFlavour::Http => Firmware::EfiHttp,
        (false, Some((_, Platform::Bios))) => Firmware::Bios,
        (false, _) => Firmware::EfiPxe,
    };
    let arch = match firmware {
        Firmware::RpiBoot => Some(Arch::Arm64),
        _ => known.map(|(arch, _)| arch),
    };
    let uuid_raw = options.get(&97).cloned();
    Some(BootClient {
        firmware,
        arch,
        arch_codes: codes,
        flavour,
        uuid: uuid_raw.as_deref().and_then(uuid),
        uuid_raw,
        boot_item: boot_item(options),
    })
}

/// iPXE, by its option 175 or its user class: raw `iPXE`, or counted as RFC 3004 wants it (QUIRKS row 22).
fn is_ipxe(options: &Options) -> bool {
    let class = options.get(&77).map(Vec::as_slice).unwrap_or_default();
    options.contains_key(&175) || class == b"iPXE" || class.windows(5).any(|counted| counted == b"\x04iPXE")
}

fn is_raspberry_pi(mac: MacAddr, options: &Options) -> bool {
    let code = options.get(&93).map(Vec::as_slice);
    code == Some(&RPIBOOT) || (code == Some(&[0, 0]) && RASPBERRY_PI.contains(&mac.oui()))
}

/// Option 93 of a Raspberry Pi that was told to own up (IANA: "arm rpiboot").
const RPIBOOT: [u8; 2] = [0, 0x29];

/// What a number of option 93 says of the firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Platform {
    Bios,
    EfiPxe,
    EfiHttp,
}

/// IANA's "Processor Architecture Types", as firmware uses them (QUIRKS row 3: 7 and 9 both mean x64, and
/// so do 0x10 and 0x11, the same two by HTTP).
fn architecture(code: u16) -> Option<(Arch, Platform)> {
    Some(match code {
        0x00 => (Arch::X64, Platform::Bios),
        0x06 => (Arch::Ia32, Platform::EfiPxe),
        0x07 | 0x09 => (Arch::X64, Platform::EfiPxe),
        0x0a => (Arch::Arm32, Platform::EfiPxe),
        0x0b => (Arch::Arm64, Platform::EfiPxe),
        0x0f => (Arch::Ia32, Platform::EfiHttp),
        0x10 | 0x11 => (Arch::X64, Platform::EfiHttp),
        0x12 => (Arch::Arm32, Platform::EfiHttp),
        0x13 => (Arch::Arm64, Platform::EfiHttp),
        0x1b => (Arch::Riscv64, Platform::EfiPxe),
        0x1c => (Arch::Riscv64, Platform::EfiHttp),
        0x27 => (Arch::Loong64, Platform::EfiPxe),
        0x28 => (Arch::Loong64, Platform::EfiHttp),
        _ => return None,
    })
}

/// Option 97: a type byte of 0 and sixteen bytes, when they identify a device.
///
/// The bytes travel in SMBIOS' order: seen so from iPXE on BIOS and UEFI, and from EDK2.
fn uuid(value: &[u8]) -> Option<SmbiosUuid> {
    let [0, bytes @ ..] = value else { return None };
    bytes.try_into().ok().and_then(SmbiosUuid::from_smbios)
}

fn boot_item(options: &Options) -> Option<[u8; 4]> {
    inner(options.get(&43)?).ok()?.get(&BOOT_ITEM)?.as_slice().try_into().ok()
}

/// The subnet that a relay names (82.5, RFC 3527), or the client itself (118, RFC 3011).
pub fn link(options: &Options) -> Option<Ipv4Addr> {
    let named = |value: &[u8]| <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from);
    let by_relay = options.get(&82).and_then(|value| inner(value).ok()).and_then(|sub| named(sub.get(&5)?));
    by_relay.or_else(|| named(options.get(&118)?))
}

/// Where the relay or switch says that the client is: circuit and remote id (82.1 and 82.2, RFC 3046 sections 3.1 and 3.2).
///
/// Their form is the switch's own: some write names, some numbers in binary. What is printable ASCII stays text; anything else
/// becomes hexadecimal digits, so that nothing in it can act on the terminal or page that shows it. A sub-option holds 255
/// bytes at most. A switch that does not set option 82 itself must not let a client's through (RFC 3046 section 2.1).
pub fn place(options: &Options) -> [Option<String>; 2] {
    let named = options.get(&82).and_then(|value| inner(value).ok()).unwrap_or_default();
    [1, 2].map(|code| named.get(&code).and_then(|value| readable(value)))
}

/// What a sub-option of option 82 says, when it says anything.
fn readable(value: &[u8]) -> Option<String> {
    let value = &value[..value.len().min(255)];
    // Some close their text with a NUL.
    let text = value.strip_suffix(&[0]).unwrap_or(value);
    let plain = !text.is_empty() && text.iter().all(|byte| (b' '..=b'~').contains(byte));
    let said = match plain {
        true => String::from_utf8_lossy(text).trim().to_owned(),
        false => value.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    (!said.is_empty()).then_some(said)
}

/// Option 60 of an answer.
pub fn vendor_class(flavour: BootFlavour) -> &'static str {
    match flavour {
        BootFlavour::Pxe => PXE_CLIENT,
        BootFlavour::Http => HTTP_CLIENT,
    }
}

/// Option 43 of an answer, when there is one.
pub fn vendor_options(vendor: VendorOptions, firmware: Firmware) -> Option<Vec<u8>> {
    match (vendor, firmware) {
        (VendorOptions::None, _) => None,
        (_, Firmware::RpiBoot) => Some(RASPBERRY_PI_MENU.to_vec()),
        (VendorOptions::UseBootfile, _) => Some([&DISCOVERY_CONTROL[..], &[255]].concat()),
        (VendorOptions::BootItem(item), _) => Some([&DISCOVERY_CONTROL[..], &[BOOT_ITEM, 4], &item, &[255]].concat()),
    }
}

/// Option 175 with `no-pxedhcp` = 1 inside: iPXE does not wait for a proxy's offer (QUIRKS row 24).
pub const IPXE_NO_PROXY: [u8; 3] = [176, 1, 1];

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(u8, &[u8])]) -> Options {
        pairs.iter().map(|(code, value)| (*code, value.to_vec())).collect()
    }

    fn mac() -> MacAddr {
        MacAddr::new([0x52, 0x54, 0, 0x77, 0, 2]).expect("unicast")
    }

    #[test]
    fn row_2_option_93_may_hold_several_numbers_and_the_first_known_counts() {
        let client = boot_client(mac(), &options(&[(60, b"PXEClient:Arch:00000"), (93, &[0xff, 0xfe, 0, 7, 0, 0])]));
        let client = client.expect("a boot client");
        assert_eq!((client.arch, client.firmware), (Some(Arch::X64), Firmware::EfiPxe));
        assert_eq!(client.arch_codes, [0xfffe, 7, 0]);
    }

    #[test]
    fn row_3_seven_and_nine_are_both_x64() {
        for code in [7, 9] {
            let client = boot_client(mac(), &options(&[(60, b"PXEClient"), (93, &[0, code])])).expect("a boot client");
            assert_eq!(client.arch, Some(Arch::X64));
        }
    }

    #[test]
    fn row_1_uuid_and_undi_version_may_be_missing_or_malformed() {
        for odd in [&[][..], &[0; 3], &[1; 17], &[0; 17]] {
            let client = boot_client(mac(), &options(&[(60, b"PXEClient"), (93, &[0, 0]), (94, &[1]), (97, odd)]));
            assert_eq!(client.expect("a boot client").uuid, None);
        }
        assert!(boot_client(mac(), &options(&[(60, b"PXEClient"), (93, &[0, 0])])).is_some());
        assert!(boot_client(mac(), &options(&[(60, b"PXEClient")])).is_none(), "no architecture at all");
        assert!(boot_client(mac(), &options(&[(60, b"AAPLBSDPC/i386"), (93, &[0, 7])])).is_none(), "row 41: BSDP");
    }

    #[test]
    fn row_22_ipxe_is_told_by_either_form_of_its_user_class_or_by_option_175() {
        for mark in [(77, &b"iPXE"[..]), (77, b"\x04iPXE"), (175, &[]), (77, b"\x03lab\x04iPXE")] {
            let client = boot_client(mac(), &options(&[(60, b"PXEClient"), (93, &[0, 0]), mark]));
            assert_eq!(client.expect("a boot client").firmware, Firmware::IpxeBios, "{mark:?}");
        }
        let not = boot_client(mac(), &options(&[(60, b"PXEClient"), (93, &[0, 0]), (77, b"\x06XiPXEr")]));
        assert_eq!(not.expect("a boot client").firmware, Firmware::Bios);
    }

    #[test]
    fn row_7_what_is_asked_on_4011_may_lack_option_60() {
        let uuid = [0; 17];
        let silent = boot_client(mac(), &options(&[(93, &[0, 7]), (97, &uuid)])).expect("a boot client");
        assert_eq!((silent.flavour, silent.firmware), (BootFlavour::Pxe, Firmware::EfiPxe));
        let other = boot_client(mac(), &options(&[(60, b"U-Boot.armv8"), (93, &[0, 0x16]), (97, &uuid)]));
        assert!(other.is_none(), "it says that it is something else");
    }

    #[test]
    fn row_12_option_97_is_the_uuid_that_dmidecode_prints() {
        // As iPXE and OVMF sent it from a machine with `-uuid 11223344-5566-7788-99aa-bbccddeeff00`.
        let sent = [0, 0x44, 0x33, 0x22, 0x11, 0x66, 0x55, 0x88, 0x77, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0];
        assert_eq!(uuid(&sent).map(|uuid| uuid.to_string()), Some("11223344-5566-7788-99aa-bbccddeeff00".into()));
    }

    #[test]
    fn row_37_a_raspberry_pi_claims_to_be_a_bios() {
        let pi = MacAddr::new([0xdc, 0xa6, 0x32, 1, 2, 3]).expect("unicast");
        let client = boot_client(pi, &options(&[(93, &[0, 0])])).expect("known by its port, without option 60");
        assert_eq!((client.firmware, client.arch), (Firmware::RpiBoot, Some(Arch::Arm64)));
        let honest = boot_client(mac(), &options(&[(60, b"PXEClient:Arch:00041"), (93, &[0, 0x29])]));
        assert_eq!(honest.expect("known by its number").firmware, Firmware::RpiBoot);
    }

    #[test]
    fn row_37_a_raspberry_pi_finds_its_name_in_a_pxe_menu_that_reads_well() {
        let menu = vendor_options(VendorOptions::UseBootfile, Firmware::RpiBoot).expect("a menu");
        let menu = inner(&menu).expect("well formed");
        assert_eq!(menu[&9], b"\x00\x00\x11Raspberry Pi Boot");
        assert_eq!(menu[&10], b"\x00PXE");
    }

    #[test]
    fn option_82_names_the_switch_port_as_text_or_as_digits() {
        let told = |value: &[u8]| place(&options(&[(82, value)]));
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(told(b"\x01\x07Gi1/0/7\x02\x04sw-a"), [said("Gi1/0/7"), said("sw-a")]);
        // As a Catalyst writes them: VLAN 10, module 1, port 7; the switch's MAC address.
        let catalyst = b"\x01\x06\x00\x04\x00\x0a\x01\x07\x02\x08\x00\x06\x00\x1b\x0c\x11\x22\x33";
        assert_eq!(told(catalyst), [said("0004000a0107"), said("0006001b0c112233")]);
        assert_eq!(told(b"\x01\x04eth\x00"), [said("eth"), None]);
        assert_eq!(told(b"\x01\x05\x1b[31m"), [said("1b5b33316d"), None], "nothing that a terminal would obey");
        for nothing in [&b""[..], b"\x01\x00", b"\x01\x03   ", b"\x01\x09cut off", b"\x05\x04\x0a\x00\x00\x00"] {
            assert_eq!(told(nothing), [None, None], "{nothing:?}");
        }
    }
}
