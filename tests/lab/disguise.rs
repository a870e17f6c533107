//! A BIOS ROM that is not known for iPXE. QEMU has no other BIOS network ROM than iPXE's, so its DHCP is stripped of what
//! tells (options 77 and 175) on its way out; every other byte of it, and all that follows, is the ROM's own.
//!
//! QEMU hands each frame that the guest sends to one socket and takes it back from another (`filter-redirector`); a frame
//! is its length in four bytes, then itself. The NBP that the ROM then loads is iPXE too and must stay known for it: its
//! UNDI driver has it ask for broadcast replies, which the ROM does not (LAB.md section 5).

use std::{
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    thread,
};

use etherparse::{SlicedPacket, TransportSlice};

const USER_CLASS: u8 = 77;
const IPXE_ENCAPSULATED: u8 = 175;

/// What of a BOOTP message comes before its options: the fixed header and the magic cookie (RFC 2131 section 2).
const OPTIONS_AT: usize = 240;
const BOOTP_FLAGS_AT: usize = 10;

/// Opens both sockets and disguises what comes by them until QEMU ends; the arguments that have QEMU use them.
pub fn disguise(netdev: &str, folder: &Path, name: &str) -> Vec<String> {
    let mut arguments = vec![];
    // QEMU walks the filters of a guest's frames from the last to the first: out of it by the second, back by the first.
    let [back, out] = [("back", "indev"), ("out", "outdev")].map(|(way, direction)| {
        let path = folder.join(format!("{name}.{way}"));
        drop(std::fs::remove_file(&path));
        let listener = UnixListener::bind(&path).expect("the log folder is writable");
        let (chardev, filter) = (format!("{netdev}-{way}"), format!("{netdev}-filter-{way}"));
        arguments.extend(["-chardev".into(), format!("socket,id={chardev},path={}", path.display())]);
        let object = format!("filter-redirector,id={filter},netdev={netdev},queue=rx,{direction}={chardev}");
        arguments.extend(["-object".into(), object]);
        listener
    });
    thread::spawn(move || {
        let (back, out) = (back.accept()?.0, out.accept()?.0);
        carry(out, back)
    });
    arguments
}

fn carry(mut from: UnixStream, mut to: UnixStream) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        from.read_exact(&mut frame)?;
        strip(&mut frame);
        to.write_all(&length)?;
        to.write_all(&frame)?;
    }
}

/// Pads over options 77 and 175 of a ROM's request.
fn strip(frame: &mut [u8]) {
    let Some(bootp_at) = rom_request(frame) else { return };
    // No checksum at all is as good as a right one (RFC 768).
    frame[bootp_at - 2..bootp_at].fill(0);
    let mut at = bootp_at + OPTIONS_AT;
    while let Some((&code, rest)) = frame.get(at..).and_then(<[u8]>::split_first) {
        let length = match (code, rest.first()) {
            (0, _) => 1,
            (255, _) | (_, None) => return,
            (_, Some(&length)) => 2 + usize::from(length),
        };
        if matches!(code, USER_CLASS | IPXE_ENCAPSULATED)
            && let Some(option) = frame.get_mut(at..at + length)
        {
            option.fill(0);
        }
        at += length;
    }
}

/// Where the BOOTP message of a frame begins, if a ROM sends it to a server.
fn rom_request(frame: &[u8]) -> Option<usize> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(TransportSlice::Udp(udp)) = packet.transport else { return None };
    let bootp = udp.payload();
    let to_server = matches!(udp.destination_port(), 67 | 4011);
    let from_rom = bootp.get(BOOTP_FLAGS_AT..BOOTP_FLAGS_AT + 2)? == [0, 0];
    (to_server && from_rom).then(|| bootp.as_ptr() as usize - frame.as_ptr() as usize)
}
