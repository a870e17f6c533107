//! Telling systemd how the daemon fares (sd_notify(3)): one datagram to the socket that it names.

use std::{
    env,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

/// The daemon serves.
pub(super) fn ready() {
    tell("READY=1");
}

/// The daemon is about to end.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

/// Without systemd there is nobody to tell; with it, a datagram that is lost only delays its start-up report.
fn tell(state: &str) {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else { return };
    let address = match name.as_bytes() {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
        path => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path)),
    };
    let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(state.as_bytes(), &address?));
    if let Err(error) = sent {
        tracing::debug!(%error, "systemd could not be told {state}");
    }
}
