//! Bodies that count what they send.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, stream::BoxStream};

use crate::{
    images::BlobError,
    model::{Millis, timeline::Transfer, units},
};

/// A body that counts what it hands over. It is dropped when the transfer is over, well or badly, and tells then.
struct Metered {
    bytes: BoxStream<'static, Result<Bytes, BlobError>>,
    sent: u64,
    of: u64,
    began: Instant,
    ended: Option<Box<dyn FnOnce(Transfer) + Send>>,
}

/// A body of `of` bytes. `ended` hears what became of it, once, when it is over. An error of the bytes breaks the
/// connection off: the client never takes a part for the whole.
pub(super) fn metered(
    bytes: BoxStream<'static, Result<Bytes, BlobError>>,
    of: u64,
    ended: impl FnOnce(Transfer) + Send + 'static,
) -> Body {
    Body::from_stream(Metered { bytes, sent: 0, of, began: Instant::now(), ended: Some(Box::new(ended)) })
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
    type Item = Result<Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.bytes.as_mut().poll_next(context);
        match &polled {
            Poll::Ready(Some(Ok(chunk))) => self.sent += chunk.len() as u64,
            Poll::Ready(Some(Err(error))) => tracing::warn!(%error, sent = self.sent, "a transfer is broken off"),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }
}

impl Drop for Metered {
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
