//! One POST: signed as the Standard Webhooks specification says, and what its answer means.
//!
//! The signed text is `id.timestamp.body`. A secret is `whsec_` and the base64 of 24 to 64 bytes; one a line, so that a
//! receiver can be given a new key while the old one is still good: each line signs.

use std::time::Duration;

use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Response, StatusCode, header};
use sha2::Sha256;

use crate::{images::cause, library::secret, model::Moment};

use super::{Line, unix_seconds};

/// So much of an answer is read, so that a failure can say what the receiver said.
const READ: usize = 2048;
/// So much of it is shown, in characters.
const SHOWN: usize = 200;
/// Keys that one secret may hold: the new one and the old one, and to spare.
const MOST_KEYS: usize = 4;

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The receiver has it.
    Delivered,
    /// Not now.
    Failed {
        /// Why, in words.
        why: String,
        /// How long the receiver asks to be left alone.
        again: Option<Duration>,
    },
    /// The receiver says that something is wrong with it (4xx).
    Refused {
        /// Why, in words.
        why: String,
    },
    /// The receiver wants to hear nothing any more (410).
    Gone,
}

/// A try.
#[derive(Debug)]
pub(super) struct Try {
    /// How it ended.
    pub(super) verdict: Verdict,
    /// What the receiver answered, if it did.
    pub(super) status: Option<u16>,
}

/// Tells the receiver something.
pub(super) async fn post(line: &Line, secrets_dir: &std::path::Path, now: Moment, id: &str, body: String) -> Try {
    let unsent = |why: String| Try { verdict: Verdict::Failed { why, again: None }, status: None };
    // Read for each post: it is in memory while it is needed, and a new key needs no restart.
    let text = match secret(&line.webhook.secret, secrets_dir) {
        Ok(text) => text,
        Err(error) => return unsent(error.to_string()),
    };
    let Some(keys) = keys(&text) else {
        let name = &line.webhook.secret;
        return unsent(format!(
            "the secret `{name}` is no key of a webhook: write one with `echo whsec_$(openssl rand -base64 32)`"
        ));
    };
    let client = match &line.client {
        Ok((_, Some(no_https))) if line.webhook.url.starts_with("https:") => return unsent(no_https.clone()),
        Ok((client, _)) => client,
        Err(why) => return unsent(why.clone()),
    };
    let timestamp = unix_seconds(now);
    let signatures = signatures(&keys, id, timestamp, &body);
    let request = client
        .post(&line.webhook.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("greenroom/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures)
        .body(body);
    match request.send().await {
        Ok(response) => Try { status: Some(response.status().as_u16()), verdict: judge(response).await },
        Err(error) if error.is_timeout() => unsent(format!("no answer within {} s", line.pace.answer.as_secs_f32())),
        Err(error) if error.is_connect() => unsent(format!("cannot be reached: {}", cause(&error))),
        Err(error) => unsent(cause(&error.without_url())),
    }
}

/// What an answer means.
async fn judge(response: Response) -> Verdict {
    let status = response.status();
    if status.is_success() {
        // What else it says nobody reads. The rest of a short answer keeps the connection; that of a long one is not awaited.
        said(response).await;
        return Verdict::Delivered;
    }
    if status == StatusCode::GONE {
        return Verdict::Gone;
    }
    let again = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(seconds);
    let to = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(shortened);
    let why = match (status.is_redirection(), to) {
        (true, Some(to)) => format!("it answers {status}, to {to}: redirects are not followed, change `url`"),
        _ => [format!("it answers {status}"), said(response).await]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": "),
    };
    let passes = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    match status.is_client_error() && !passes {
        true => Verdict::Refused { why },
        // Only these two say by it how long they want to be left alone (RFC 9110, RFC 6585).
        false => {
            let asks = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
            Verdict::Failed { why, again: again.filter(|_| asks) }
        }
    }
}

/// The beginning of what a receiver says, on one line.
async fn said(mut response: Response) -> String {
    let mut bytes: Vec<u8> = vec![];
    while bytes.len() < READ
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk[..chunk.len().min(READ - bytes.len())]);
    }
    shortened(&String::from_utf8_lossy(&bytes))
}

fn shortened(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(SHOWN).collect()
}

/// `Retry-After`: seconds. A date would need both clocks to be right; without a number the usual pause holds.
fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The keys of a secret.
fn keys(text: &str) -> Option<Vec<Vec<u8>>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&ALPHABET, config);
    let key = |line: &str| {
        let key = engine.decode(line.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then_some(key)
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Vec<Vec<u8>> = lines.map(key).collect::<Option<_>>()?;
    (1..=MOST_KEYS).contains(&keys.len()).then_some(keys)
}

/// The value of `webhook-signature`.
fn signatures(keys: &[Vec<u8>], id: &str, timestamp: u64, body: &str) -> String {
    let sign = |key: &Vec<u8>| {
        let code = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        let code = code.chain_update(format!("{id}.{timestamp}.")).chain_update(body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(code))
    };
    keys.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_the_specification_writes_them() {
        let key = format!("whsec_{}", STANDARD.encode([7; 32]));
        assert_eq!(keys(&key).map(|keys| keys.len()), Some(1));
        assert_eq!(keys(&format!("{key}\n{}\n", key.trim_end_matches('='))), Some(vec![vec![7; 32]; 2]));
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        for bad in ["", "hunter2", "whsec_", "whsec_!!!!", &short, &key.repeat(2), &[key.as_str(); 5].join("\n")] {
            assert_eq!(keys(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_a_receiver_says_is_one_short_line() {
        assert_eq!(shortened(" not\r\n\x1b[31mtoday "), "not [31mtoday");
        assert_eq!(shortened(&"x".repeat(9999)).len(), SHOWN);
        assert_eq!((seconds("120"), seconds("Fri, 31 Dec 1999 23:59:59 GMT")), (Some(Duration::from_secs(120)), None));
    }
}
