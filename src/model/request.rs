//! Everything that can be asked of the engine.

use std::net::IpAddr;

use super::{
    BootId, Bytes, Digest,
    account::AccountOrder,
    command::{Command, Orders, PinImage},
    dhcp::{DhcpAsk, Ingress},
    smbios::Hardware,
    timeline::Step,
    token::TokenOrder,
};

/// One request, from whatever door it came.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A DHCP packet, on port 67 or 4011.
    Dhcp {
        /// What it asks.
        ask: DhcpAsk,
        /// Where it came in.
        ingress: Ingress,
    },
    /// iPXE asks for the boot script of an attempt, and says what it runs on.
    Script {
        /// Which attempt.
        boot: BootId,
        /// What it runs on.
        hardware: Hardware,
        /// Who asks: the device's address, for rules by subnet.
        peer: IpAddr,
        /// The beginning of this server's URLs, as the device reached it.
        server: String,
    },
    /// Something happened in an attempt that needs no answer: a transfer, a seed file read, a report.
    Observe {
        /// Which attempt.
        boot: BootId,
        /// What happened.
        step: Step,
        /// Who was at the other end.
        peer: IpAddr,
    },
    /// An operator's order about a device.
    Command(Command),
    /// Several orders at once: all, or none.
    Orders(Orders),
    /// An operator's order about an image.
    Pin(PinImage),
    /// An operator had a blob leave the image cache: what was done, for the journal.
    Evicted {
        /// Which blob.
        digest: Digest,
        /// What it is called.
        name: String,
        /// The bytes that came free.
        freed: Bytes,
        /// Whether it left RAM only.
        only_ram: bool,
        /// Who says so.
        by: String,
    },
    /// An operator's order about a token of the API.
    Token(TokenOrder),
    /// An order about an account of the pages.
    Account(AccountOrder),
    /// Time has passed: attempts that went silent are given up.
    Tick,
}
