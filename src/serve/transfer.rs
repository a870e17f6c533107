//! Transfers: what was sent of what, in how long; and what a file's name says of its kind.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, stream::BoxStream};

use crate::model::{Millis, timeline::Transfer, units};

/// Counts what a transfer sends. It is dropped when the transfer is over, well or badly, and tells then.
pub(super) struct Meter {
    sent: u64,
    of: u64,
    began: Instant,
    ended: Option<Box<dyn FnOnce(Transfer) + Send>>,
}

impl Meter {
    /// A meter of a transfer of `of` bytes. `ended` hears what became of it, once, when it is over.
    pub(super) fn new(of: u64, ended: impl FnOnce(Transfer) + Send + 'static) -> Self {
        Self { sent: 0, of, began: Instant::now(), ended: Some(Box::new(ended)) }
    }

    /// So many more bytes were handed over.
    pub(super) fn add(&mut self, bytes: u64) {
        self.sent += bytes;
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let transfer = Transfer {
            bytes: units::Bytes(self.sent),
            of: units::Bytes(self.of),
            took: Millis(self.began.elapsed().as_millis() as u64),
        };
        if let Some(ended) = self.ended.take() {
            ended(transfer);
        }
    }
}

/// A body of our own bytes, with its meter.
struct Metered {
    bytes: BoxStream<'static, Bytes>,
    meter: Meter,
}

/// A body of these bytes, counted as they are handed over.
pub(super) fn metered(bytes: BoxStream<'static, Bytes>, meter: Meter) -> Body {
    Body::from_stream(Metered { bytes, meter })
}

/// The type that EDK2 and browsers know a file by (QUIRKS row 32).
pub(super) fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("efi") => "application/efi",
        Some("iso") => "application/vnd.efi-iso",
        Some("img") => "application/vnd.efi-img",
        _ => "application/octet-stream",
    }
}

impl Stream for Metered {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.bytes.as_mut().poll_next(context);
        if let Poll::Ready(Some(bytes)) = &polled {
            let sent = bytes.len() as u64;
            self.meter.add(sent);
        }
        polled.map(|bytes| bytes.map(Ok))
    }
}
