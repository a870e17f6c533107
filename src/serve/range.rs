//! Which bytes of a file a request wants, if any (RFC 9110 sections 13 and 14).
//!
//! A `Range` that cannot be understood is no range: the whole is served. Ranges that overlap or touch are served as one,
//! and who asks for very many, or for more bytes than there are, gets the whole: none of that can be meant well.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, Method, header};

/// More ranges than this are refused by serving the whole.
const MOST: usize = 64;

/// What a request wants of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// Parts of it: at least one, none empty, none touching another.
    Parts(Vec<Range<u64>>),
    /// Nothing: it has this file already.
    Unchanged,
    /// Nothing: it wants another file than there is.
    Other,
    /// Bytes that are not there.
    Beyond,
}

/// Reads the conditions and ranges of a GET or HEAD of a file with this strong ETag and so many bytes. RFC 9110 section
/// 13.2.2 gives the order. There are no dates: the ETag is a digest, and files are called by it.
pub(super) fn wanted(method: &Method, headers: &HeaderMap, etag: &str, len: u64) -> Wanted {
    let lists = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    if headers.contains_key(header::IF_MATCH) && !lists(header::IF_MATCH).any(|list| names(list, etag, false)) {
        return Wanted::Other;
    }
    if lists(header::IF_NONE_MATCH).any(|list| names(list, etag, true)) {
        return Wanted::Unchanged;
    }
    // A weak ETag or a date says too little to join parts by.
    let stale = text(headers, header::IF_RANGE).is_some_and(|condition| condition.trim() != etag);
    // Only GET has ranges (section 14.2).
    let ranged = method == Method::GET && !stale;
    let spec = text(headers, header::RANGE).filter(|_| ranged).and_then(bytes_unit);
    spec.and_then(|spec| parts(spec, len)).unwrap_or(Wanted::Whole)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a list of ETags names this one. `W/"x"` is `"x"` where a weak comparison will do.
fn names(list: &str, etag: &str, weak: bool) -> bool {
    let strong = |tag: &str| match tag.strip_prefix("W/") {
        Some(tag) if weak => tag == etag,
        _ => tag == etag,
    };
    list.trim() == "*" || list.split(',').any(|tag| strong(tag.trim()))
}

/// The ranges in `bytes=...`; units are called the same in either case.
fn bytes_unit(range: &str) -> Option<&str> {
    let (unit, spec) = range.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(spec)
}

/// What a list of ranges wants; `None` when it is none.
fn parts(spec: &str, len: u64) -> Option<Wanted> {
    let (mut kept, mut asked, mut bytes): (Vec<Range<u64>>, _, _) = (vec![], 0, 0_u64);
    // Empty elements of a list mean nothing (RFC 9110 section 5.6.1).
    for element in spec.split(',').map(str::trim).filter(|element| !element.is_empty()) {
        asked += 1;
        let range = one(element, len)?;
        if asked > MOST {
            return None;
        }
        if range.start < range.end {
            bytes = bytes.saturating_add(range.end - range.start);
            join(&mut kept, range);
        }
    }
    match (asked, kept.is_empty()) {
        (0, _) => None,
        (_, true) => Some(Wanted::Beyond),
        (2.., false) if bytes > len => None,
        (_, false) => Some(Wanted::Parts(kept)),
    }
}

/// `5-9`, `5-` or `-5`, cut to what there is; empty when it lies beyond the end.
fn one(element: &str, len: u64) -> Option<Range<u64>> {
    let (first, last) = element.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    Some(match (first, last) {
        ("", suffix) => len.saturating_sub(number(suffix)?)..len,
        (first, "") => number(first)?.min(len)..len,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            first.min(len)..last.saturating_add(1).min(len)
        }
    })
}

/// Digits only. Numbers that no file is long enough for are as good as the largest one.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Adds a range where the first that it overlaps or touches stands, else at the end: parts come in the order in which they
/// were asked for.
fn join(kept: &mut Vec<Range<u64>>, mut range: Range<u64>) {
    let mut place = kept.len();
    let mut at = 0;
    while at < kept.len() {
        if kept[at].start <= range.end && range.start <= kept[at].end {
            let other = kept.remove(at);
            range = range.start.min(other.start)..range.end.max(other.end);
            place = place.min(at);
            // What it has grown to may touch those that it did not before.
            at = 0;
        } else {
            at += 1;
        }
    }
    kept.insert(place.min(kept.len()), range);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(fields: &[(HeaderName, &str)]) -> Wanted {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().expect("a header"));
        }
        wanted(&Method::GET, &headers, "\"x\"", 100)
    }

    fn range(range: &str) -> Wanted {
        ask(&[(header::RANGE, range)])
    }

    fn some(ranges: &[(u64, u64)]) -> Wanted {
        Wanted::Parts(ranges.iter().map(|(start, end)| *start..*end).collect())
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (asked, part) in [
            ("bytes=0-9", (0, 10)),
            ("Bytes = 0-9", (0, 10)),
            ("bytes=90-", (90, 100)),
            ("bytes=-10", (90, 100)),
            ("bytes=-1000", (0, 100)),
            ("bytes=90-18446744073709551615", (90, 100)),
            ("bytes=90-99999999999999999999999", (90, 100)),
            ("bytes=,0-9 ,", (0, 10)),
        ] {
            assert_eq!(range(asked), some(&[part]), "{asked}");
        }
        for beyond in ["bytes=100-", "bytes=-0", "bytes=100-200,300-", "bytes=99999999999999999999999-"] {
            assert_eq!(range(beyond), Wanted::Beyond, "{beyond}");
        }
        let whole =
            ["bytes=9-0", "bytes=0-1,9-0", "lines=1-2", "bytes=a-b", "bytes=-", "bytes=+1-2", "bytes", "bytes="];
        for whole in whole {
            assert_eq!(range(whole), Wanted::Whole, "{whole}");
        }
    }

    #[test]
    fn several_ranges_are_joined_where_they_touch_and_keep_their_order() {
        assert_eq!(range("bytes=0-9,20-29"), some(&[(0, 10), (20, 30)]));
        assert_eq!(range("bytes=20-29,0-9,200-"), some(&[(20, 30), (0, 10)]));
        assert_eq!(range("bytes=0-9,5-14,15-19"), some(&[(0, 20)]));
        assert_eq!(range("bytes=50-59,0-9,20-29,10-19"), some(&[(50, 60), (0, 30)]));
        assert_eq!(range("bytes=0-9,20-29,40-49,8-41"), some(&[(0, 50)]));
        let many = |n: u64| (0..n).map(|n| n.to_string() + "-" + &n.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(range(&format!("bytes={}", many(64))), some(&[(0, 64)]));
        assert_eq!(range(&format!("bytes={}", many(65))), Wanted::Whole);
        assert_eq!(range("bytes=0-,0-"), Wanted::Whole, "more than there is");
    }

    #[test]
    fn conditions_come_before_ranges() {
        let range = (header::RANGE, "bytes=0-9");
        for (condition, wants) in [
            ((header::IF_RANGE, "\"x\""), some(&[(0, 10)])),
            ((header::IF_RANGE, "W/\"x\""), Wanted::Whole),
            ((header::IF_RANGE, "\"old\""), Wanted::Whole),
            ((header::IF_RANGE, "Wed, 21 Oct 2015 07:28:00 GMT"), Wanted::Whole),
            ((header::IF_NONE_MATCH, "\"x\""), Wanted::Unchanged),
            ((header::IF_NONE_MATCH, "\"a\", W/\"x\""), Wanted::Unchanged),
            ((header::IF_NONE_MATCH, "*"), Wanted::Unchanged),
            ((header::IF_NONE_MATCH, "\"old\""), some(&[(0, 10)])),
            ((header::IF_MATCH, "\"x\""), some(&[(0, 10)])),
            ((header::IF_MATCH, "*"), some(&[(0, 10)])),
            ((header::IF_MATCH, "W/\"x\""), Wanted::Other),
            ((header::IF_MATCH, "\"old\""), Wanted::Other),
        ] {
            assert_eq!(ask(&[range.clone(), condition.clone()]), wants, "{condition:?}");
        }
        let listed = [(header::IF_NONE_MATCH, "\"a\""), (header::IF_NONE_MATCH, "\"x\"")];
        assert_eq!(ask(&listed), Wanted::Unchanged, "a list in two lines");
    }
}
