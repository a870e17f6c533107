//! What goes wrong before a script is asked for: addresses, NBPs, iPXE's first words.

use crate::model::{
    Firmware,
    timeline::{Outcome, Step},
};

use super::{Case, Cause, Sure};

fn is_offer(step: &Step) -> bool {
    matches!(step, Step::Offer { .. })
}

/// An offer with an address: this server gives them. What it did counts, not how it is configured by now.
fn gives_address(step: &Step) -> bool {
    matches!(step, Step::Offer { ip: Some(_), .. })
}

/// An offer of what to boot alone.
fn is_proxy(step: &Step) -> bool {
    matches!(step, Step::Offer { ip: None, .. })
}

fn is_ack(step: &Step) -> bool {
    matches!(step, Step::Ack { .. })
}

fn is_nbp(step: &Step) -> bool {
    matches!(step, Step::Nbp { .. })
}

fn is_whole_nbp(step: &Step) -> bool {
    matches!(step, Step::Nbp { transfer, .. } if transfer.is_whole())
}

/// It is still at its first question, and nobody answered.
fn early(case: &Case<'_>) -> bool {
    case.hangs() && !case.scripted() && !case.has(is_nbp)
}

/// DISCOVERs, and not even an offer.
pub(super) fn no_offer(case: &Case<'_>) -> Option<Cause> {
    let asked = case.discovers(|_| true);
    (early(case) && asked > 0 && !case.has(is_offer) && !case.has(is_ack)).then(|| {
        Cause::new(
            "no-offer",
            Sure::Likely,
            "It was never offered anything",
            "It asks for an address, and this server had no offer that it could make.",
        )
        .saw(format!("{asked} DISCOVERs, no OFFER"))
        .saw_all(case.silence())
        .run("See what it would be answered now", format!("greenroom explain {}", case.mac()))
        .try_("Look at the server's log: a full inbox or a failing disk keeps it from answering")
    })
}

/// Full mode: our OFFER, and no REQUEST.
pub(super) fn offer_not_taken(case: &Case<'_>) -> Option<Cause> {
    let offers = case.count(is_offer);
    let ours = case.has(gives_address) && !case.ipxe_speaks();
    let fits = early(case) && ours && offers > 0 && !case.has(is_ack);
    fits.then(|| {
        let cause = Cause::new(
            "offer-not-taken",
            Sure::Likely,
            "It does not take the address that it is offered",
            "Either the OFFER does not reach it, or it takes another server's.",
        );
        let cause = cause.saw(format!("{offers} OFFERs, no REQUEST")).saw_all(case.silence());
        let relayed = case.device.and_then(|device| device.link.relay);
        let cause = match relayed {
            Some(relay) => cause
                .saw(format!("it asks through the relay {relay}"))
                .try_(format!("See that {relay} can be reached from here, and that no firewall drops UDP from port 67 to port 67")),
            None => cause.try_(format!("Look for another DHCP server {}: its offer may come first. Stop it, or use `dhcp.mode: proxy` beside it", case.place())),
        };
        let cause = match offers >= 3 {
            true => cause.saw("it goes on asking: it hears no answer at all"),
            false => cause,
        };
        cause
            .try_(format!("See that the switch lets this server answer {}: DHCP snooping must trust its port", case.place()))
            .try_("Set the switch port to an edge port (PortFast): spanning tree drops the first half minute")
    })
}

/// Proxy mode: we said what to boot, and nobody gave an address.
pub(super) fn proxy_alone(case: &Case<'_>) -> Option<Cause> {
    let ours = case.has(gives_address) || case.has(is_ack);
    let fits = early(case) && case.has(is_proxy) && !ours && !case.ipxe_speaks();
    fits.then(|| {
        let cause = Cause::new(
            "proxy-alone",
            Sure::Likely,
            "No DHCP server gave it an address",
            "In proxy mode this server only says what to boot. The address must come from another server, and this device goes no further \
             without one.",
        );
        let cause = cause.saw("the offer went out, without an address as proxies do").saw_all(case.silence());
        let cause = cause
            .try_(format!("See that the DHCP server answers {}: its pool may be exhausted, or the relay points to this server only", case.place()))
            .try_("Where there is none, have Greenroom give addresses: `dhcp.mode: full` with `dhcp.subnets`");
        match case.boot.firmware.is_efi() {
            true => cause.try_("UEFI asks again on UDP port 4011: let it through to this server"),
            false => cause,
        }
    })
}

/// An address and a bootfile, and nobody came for the NBP.
pub(super) fn nbp_not_asked(case: &Case<'_>) -> Option<Cause> {
    let told = case.has(|step| matches!(step, Step::Ack { bootfile: Some(_), .. }));
    let fits = early(case) && told && !case.ipxe_speaks();
    fits.then(|| {
        let http = case.boot.firmware == Firmware::EfiHttp;
        let (what, port) = if http { ("HTTP", format!("TCP port {}", case.site.http_port)) } else { ("TFTP", "UDP port 69".into()) };
        let cause = Cause::new(
            "nbp-not-asked",
            Sure::Likely,
            format!("It does not come for its NBP by {what}"),
            format!("It has an address and knows what to fetch. Its {what} request does not arrive here."),
        );
        let cause = cause
            .saw("an ACK with a bootfile went out; nothing was asked for")
            .saw_all(case.silence())
            .try_(format!("Open {port} to this server in every firewall between, and in this machine's own"));
        let cause = match case.boot.firmware {
            Firmware::RpiBoot => cause.try_("A Raspberry Pi loads its own firmware files first, and needs UEFI firmware on its card to go on from here"),
            Firmware::EfiHttp => cause.try_("Some firmware wants DNS, or HTTPS, for HTTP Boot: try PXE instead in its setup"),
            _ => cause.try_("Another server's options 66 and 67 may win: leave them out of its configuration"),
        };
        cause.try_("See in the packets below which next server and bootfile it was told")
    })
}

/// The NBP was begun, and never came whole.
pub(super) fn nbp_broken_off(case: &Case<'_>) -> Option<Cause> {
    let broken = case.count(|step| is_nbp(step) && !is_whole_nbp(step));
    let fits = case.hangs() && broken > 0 && !case.has(is_whole_nbp) && !case.scripted();
    let (sent, of) = case.steps().rev().find_map(|step| match step {
        Step::Nbp { transfer, .. } => Some((transfer.bytes, transfer.of)),
        _ => None,
    })?;
    fits.then(|| {
        let cause = Cause::new(
            "nbp-broken-off",
            Sure::Likely,
            "Its NBP breaks off on the way",
            "The transfer begins, so requests pass; what is sent back does not pass whole.",
        );
        let cause = cause.saw(format!("{sent} of {of} were acknowledged, {broken} times"));
        let cause = match sent.0 == 0 {
            true => cause.saw("not one block was acknowledged").try_("Let replies pass from ports other than 69: TFTP sends data from a port of its own (helpers: nf_conntrack_tftp)"),
            false => cause.try_("Look for a smaller MTU between (tunnels, VLANs): blocks of 1468 bytes need 1500"),
        };
        cause
            .try_("Look at the switch port's errors, and force no speed or duplex")
            .saw_all(case.silence())
    })
}

/// The same NBP, again and again.
pub(super) fn nbp_loop(case: &Case<'_>) -> Option<Cause> {
    let whole = case.count(is_whole_nbp);
    (whole >= 3 && !case.scripted() && case.boot.outcome != Some(Outcome::Refused)).then(|| {
        Cause::new(
            "nbp-loop",
            Sure::Likely,
            "It fetches its NBP again and again",
            "What it fetched is not run, or asks in a way that cannot be told from the firmware, so that it is given the same again.",
        )
        .saw(format!("{whole} whole transfers of the NBP, and no script was asked for"))
        .try_("When another DHCP server answers as well, its bootfile is what iPXE gets: have it leave out options 66 and 67")
        .try_("Try the other NBP for this model: `boot.uefi_nbp: [{match: {mac: …}, nbp: ipxe.efi}]`")
    })
}

/// The NBP came whole, and what runs next says nothing.
pub(super) fn nbp_not_run(case: &Case<'_>) -> Option<Cause> {
    let name = case.steps().find_map(|step| match step {
        Step::Nbp { name, transfer } if transfer.is_whole() => Some(name.as_str()),
        _ => None,
    })?;
    let fits = case.hangs() && !case.scripted() && !case.ipxe_speaks() && case.count(is_whole_nbp) < 3;
    if !fits {
        return None;
    }
    let seen = |cause: Cause| cause.saw(format!("{name} was delivered whole")).saw_all(case.silence());
    if case.boot.firmware.is_efi() && !name.contains("shim") {
        return Some(secure_boot(
            seen(Cause::new(
                "secure-boot",
                Sure::Likely,
                "Secure Boot does not run an unsigned NBP",
                "UEFI fetched the NBP to its end and did not start it. With Secure Boot on it starts signed programs only, and says so only on \
             its own screen.",
            )),
            name,
            case,
        ));
    }
    let cause = seen(Cause::new(
        "nbp-not-run",
        Sure::Likely,
        "The NBP starts and finds no network",
        "It was delivered whole. Either the firmware does not start it, or it stops before it asks for an address.",
    ));
    Some(
        cause
            .try_("Look at the device's screen: iPXE says what it could not open")
            .try_("Update the firmware of the network card: a PXE ROM of its own makes NBPs that drive through it (undionly) fail")
            .try_("Let this model boot from iPXE on a USB stick or in its ROM; it then asks here by itself"),
    )
}

/// What to do about Secure Boot.
pub(super) fn secure_boot(mut cause: Cause, name: &str, case: &Case<'_>) -> Cause {
    cause.evidence.insert(0, format!("it is {} firmware, and {name} is not signed by Microsoft", case.boot.firmware));
    cause
        .try_("Turn Secure Boot off in the firmware's setup")
        .try_("Or name a signed NBP (a distribution's shim and its GRUB, or iPXE's signed shim) in `boot.nbp_dir`")
        .try_("With Secure Boot off already: name the other NBP for this model under `boot.uefi_nbp`")
}

/// iPXE runs and gets no address.
pub(super) fn ipxe_without_address(case: &Case<'_>) -> Option<Cause> {
    let asked = case.discovers(Firmware::is_ipxe);
    let acked = case
        .boot
        .steps
        .iter()
        .rev()
        .take_while(|moved| !matches!(moved.step, Step::Discover { firmware } if firmware.is_ipxe()));
    let acked = acked.into_iter().any(|moved| is_ack(&moved.step));
    let fits = case.hangs() && !case.scripted() && asked > 0 && !acked && !case.has(is_proxy);
    fits.then(|| {
        let cause = Cause::new(
            "ipxe-no-address",
            Sure::Likely,
            "iPXE asks for an address and does not get it",
            "It runs and its DISCOVERs arrive. The link goes down and up when iPXE takes over the card, and the switch port or the driver is \
             not ready in time.",
        );
        cause
            .saw(format!("{asked} DISCOVERs of iPXE, no ACK"))
            .saw_all(case.silence())
            .try_(format!("Make the switch port an edge port (PortFast), and turn LACP off or to fallback {}", case.place()))
            .try_("Try the other NBP for this model: ipxe.efi brings drivers of its own, snponly.efi uses the firmware's")
    })
}

/// iPXE has an address, and does not come for the script.
pub(super) fn ipxe_without_script(case: &Case<'_>) -> Option<Cause> {
    let mut after = case
        .boot
        .steps
        .iter()
        .rev()
        .take_while(|moved| !matches!(moved.step, Step::Discover { firmware } if firmware.is_ipxe()));
    let acked = after.any(|moved| is_ack(&moved.step) || is_proxy(&moved.step));
    let fits = case.hangs() && !case.scripted() && case.ipxe_speaks() && acked;
    fits.then(|| {
        let port = case.site.http_port;
        let cause = Cause::new(
            "ipxe-no-script",
            Sure::Likely,
            "iPXE does not come for its script",
            format!("It has an address and was told where its script is. Its HTTP request to port {port} does not arrive here."),
        );
        let cause = cause.saw("iPXE was given an address and a script's URL; no script was asked for").saw_all(case.silence());
        let cause = match case.has(is_proxy) {
            true => cause.try_("See that the DHCP server gives it an address as well, and no bootfile of its own"),
            false => cause,
        };
        cause
            .try_(format!("Open TCP port {port} to this server in every firewall between, and in this machine's own"))
            .try_("Look at its screen: a card whose driver stops after DHCP needs the other NBP (`boot.uefi_nbp`)")
            .try_("See that its VLAN is routed to this server, and that no other machine has this server's address")
    })
}

/// Somebody else uses the address.
pub(super) fn address_in_use(case: &Case<'_>) -> Option<Cause> {
    let address = case.declined.first().filter(|_| case.hangs() && !case.scripted())?;
    let cause = Cause::new(
        "address-in-use",
        Sure::Certain,
        "It found its address in use by another machine",
        "It declined what it was offered: another machine answers for that address.",
    );
    let all: Vec<String> = case.declined.iter().map(ToString::to_string).collect();
    Some(
        cause
            .saw(format!("DECLINE of {}", all.join(", ")))
            .run("Find who has it", format!("arping -D -I INTERFACE {address}"))
            .try_("Take addresses that are set by hand out of `dhcp.subnets[].pools`, or stop the other DHCP server"),
    )
}
