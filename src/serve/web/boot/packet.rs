//! The packets of an attempt: taken apart on its page, and as a file for other tools.

use axum::{
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::{
    model::{MacAddr, Millis, Moment, timeline::Boot},
    serve::capture::{self, Direction, Packet, Protocol},
    wire::dissect::{self, Dissected},
    world::World,
};

use super::{Trouble, Visitor, Web, page};

/// A packet as a page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// Its place among the attempt's packets, from 1.
    pub(super) number: usize,
    /// Since the attempt began, in milliseconds; a packet that began it came a moment before.
    pub(super) at_ms: i64,
    /// `in` or `out`.
    pub(super) direction: &'static str,
    /// `DHCP` or `TFTP`.
    pub(super) protocol: &'static str,
    /// The interface.
    pub(super) interface: String,
    /// Who sent it.
    pub(super) from: String,
    /// Whom it was for.
    pub(super) to: String,
    /// How many bytes it has.
    pub(super) length: usize,
    /// What it says.
    #[serde(flatten)]
    pub(super) dissected: Dissected,
    /// The packet itself, in base 64.
    base64: String,
}

impl Shown {
    /// When, for people.
    pub(super) fn offset(&self) -> String {
        Millis(self.at_ms.max(0) as u64).to_string()
    }
}

/// The packets of an attempt, in their order.
pub(super) fn packets(web: &Web, world: &World, boot: &Boot) -> Vec<Packet> {
    let ports: Vec<MacAddr> =
        world.devices.get(&boot.device).map_or_else(|| vec![boot.device.mac()], |device| device.macs.clone());
    web.context.capture.of(&ports, Some(boot.id))
}

/// Takes a packet apart.
pub(super) fn shown(number: usize, packet: &Packet, began: Moment) -> Shown {
    let (protocol, dissected) = match packet.protocol {
        Protocol::Dhcp => ("DHCP", dissect::dhcp(&packet.bytes)),
        Protocol::Tftp => ("TFTP", dissect::tftp(&packet.bytes)),
    };
    Shown {
        number,
        at_ms: packet.at.as_millis() as i64 - began.as_millis() as i64,
        direction: match packet.direction {
            Direction::In => "in",
            Direction::Out => "out",
        },
        protocol,
        interface: packet.interface.clone(),
        from: packet.from.to_string(),
        to: packet.to.to_string(),
        length: packet.bytes.len(),
        dissected,
        base64: STANDARD.encode(&packet.bytes),
    }
}

/// `GET /boots/ID/packets.pcap`
pub(super) async fn file(
    State(web): State<Web>,
    _visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let world = web.context.engine.world();
    let boot = page::find(&world, &id)?;
    let packets = packets(&web, &world, boot);
    if packets.is_empty() {
        let why = format!("None of the packets of boot {id} is kept (any more).");
        let help = "They are kept in memory: the latest of each device, until greenroom restarts.";
        return Err(Trouble::new(StatusCode::NOT_FOUND, "There are no packets", why, help));
    }
    let name = format!("attachment; filename=\"boot-{}.pcap\"", boot.id);
    Ok((
        [(CONTENT_TYPE, "application/vnd.tcpdump.pcap".to_owned()), (CONTENT_DISPOSITION, name)],
        capture::file(&packets),
    )
        .into_response())
}
