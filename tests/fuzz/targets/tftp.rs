//! Whatever comes to port 69, the next honest request is answered: with the options that `serve/tftp` grants. And what is
//! counted as malformed is what gets no answer.
#![no_main]

use std::{
    net::{SocketAddr, UdpSocket},
    path::Path,
    sync::LazyLock,
    time::Duration,
};

use async_tftp::{
    packet::Error,
    server::{Handler, TftpServerBuilder},
};
use futures_util::io::{Cursor, Sink};
use greenroom::wire::tftp_request::judge;
use libfuzzer_sys::fuzz_target;

/// One short file, under one name.
struct Shelf;

impl Handler for Shelf {
    type Reader = Cursor<&'static [u8]>;
    type Writer = Sink;

    async fn read_req_open(&mut self, _: &SocketAddr, path: &Path) -> Result<(Self::Reader, Option<u64>), Error> {
        match path == Path::new("nbp") {
            true => Ok((Cursor::new(b"NBP"), Some(3))),
            false => Err(Error::FileNotFound),
        }
    }

    async fn write_req_open(&mut self, _: &SocketAddr, _: &Path, _: Option<u64>) -> Result<Sink, Error> {
        Err(Error::PermissionDenied)
    }
}

static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = socket.local_addr().expect("it is bound");
    std::thread::spawn(|| {
        async_io::block_on(async {
            let builder = TftpServerBuilder::with_handler(Shelf).std_socket(socket).expect("a bound socket");
            let builder = builder.timeout(Duration::from_secs(1)).ignore_client_timeout().max_send_retries(1);
            let server = builder.window_size_limit(64).block_size_limit(1468).build().await.expect("it is bound");
            server.serve().await.expect("the socket holds");
        });
    });
    address
});

/// Whether one honest client gets the file. The kernel may give it the port of one that has just gone: the server then
/// takes its request for a repetition, and says nothing.
fn serves() -> bool {
    let honest = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    honest.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout above zero");
    honest.send_to(b"\0\x01nbp\0octet\0", *SERVER).expect("it is on loopback");
    let mut reply = [0; 16];
    let Ok((length, from)) = honest.recv_from(&mut reply) else { return false };
    assert_eq!(reply[..length], *b"\0\x03\0\x01NBP");
    honest.send_to(b"\0\x04\0\x01", from).expect("it is on loopback");
    true
}

/// Whether a packet is answered. As in [`serves`], a port that was another's a moment ago hears too much or too little.
fn answers(packet: &[u8]) -> bool {
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    stranger.send_to(packet, *SERVER).expect("it is on loopback");
    assert!((0..3).any(|_| serves()), "the server has gone silent");
    stranger
        .set_read_timeout(Some(Duration::from_millis(if judge(packet).is_ok() { 1000 } else { 1 })))
        .expect("above zero");
    stranger.recv_from(&mut [0; 2048]).is_ok()
}

fuzz_target!(|packet: &[u8]| {
    // What is longer than a datagram cannot be sent: nothing comes in that way either.
    if packet.len() > 65_507 {
        return;
    }
    let wanted = judge(packet).is_ok();
    assert!((0..3).any(|_| answers(packet) == wanted), "{:?}", judge(packet));
});
