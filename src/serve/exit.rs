//! The way out of hyper: how a connection learns that the kernel shall send an answer's body.
//!
//! ```text
//!   hyper ── writes the head ── polls the body ── flushes ── (waits for bytes that never come)
//!                                    │                │
//!                                leave(parcel)     flushed()  ──> parcel(): the driver takes the connection back
//! ```
//! hyper asks a body for bytes once it has written the head, and flushes the connection once all that it wrote was given
//! to the kernel. When both have happened, in this order, the head is out and no byte of the body is: the connection is
//! taken back and the body sent. All of this happens within one task.
//!
//! The same way a connection learns that hyper has read a request's head, which clients get only so long for.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::{context::lock, parcel::Parcel};

const INSIDE: u8 = 0;
const LEAVING: u8 = 1;
const OUT: u8 = 2;

/// One connection's way out.
#[derive(Clone, Default)]
pub(super) struct Exit(Arc<Door>);

#[derive(Default)]
struct Door {
    /// Whether bytes have come since the last head was read.
    reading: AtomicBool,
    state: AtomicU8,
    parcel: Mutex<Option<Parcel>>,
}

impl Exit {
    /// A body that is sent by the kernel. hyper writes its exact length and not one of its bytes.
    pub(super) fn body(&self, parcel: Parcel) -> Body {
        match parcel.len() {
            0 => Body::empty(),
            len => Body::new(Handed { len, parcel: Some(parcel), exit: self.clone() }),
        }
    }

    /// Bytes have come. Whether they are the first since a head was read.
    pub(super) fn came(&self) -> bool {
        !self.0.reading.swap(true, Ordering::Relaxed)
    }

    /// A head was read.
    pub(super) fn asked(&self) {
        self.0.reading.store(false, Ordering::Relaxed);
    }

    /// Whether a head has begun and is not there.
    pub(super) fn is_reading(&self) -> bool {
        self.0.reading.load(Ordering::Relaxed)
    }

    /// Everything that was written has been given to the kernel.
    pub(super) fn flushed(&self) {
        // Asked for with every flush: it must cost nothing.
        if self.0.state.load(Ordering::Relaxed) == LEAVING {
            self.0.state.store(OUT, Ordering::Relaxed);
        }
    }

    /// What is to be sent, once the head is out.
    pub(super) fn parcel(&self) -> Option<Parcel> {
        if self.0.state.load(Ordering::Relaxed) != OUT {
            return None;
        }
        self.0.state.store(INSIDE, Ordering::Relaxed);
        lock(&self.0.parcel).take()
    }
}

struct Handed {
    len: u64,
    parcel: Option<Parcel>,
    exit: Exit,
}

impl HttpBody for Handed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(parcel) = self.parcel.take() {
            *lock(&self.exit.0.parcel) = Some(parcel);
            self.exit.0.state.store(LEAVING, Ordering::Relaxed);
        }
        // Nothing wakes anybody here: the driver leaves before it waits.
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len)
    }
}
