//! Lists of checksums, as `sha256sum` and BSD's tools write them, and which of their lines a file is meant by.
//!
//! ```text
//!   d8808a…5203d  ./netboot/debian-installer/amd64/linux      two blanks; the second is `*` for files read as binary
//!   SHA256 (Fedora-42.iso) = d8808a…5203d                     BSD, and Fedora
//! ```

use std::collections::BTreeMap;

use crate::model::Digest;

/// A list that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksums {
    /// Where it is: a path or a URL. Names in it are relative to its folder.
    place: String,
    digests: BTreeMap<String, Digest>,
}

impl Checksums {
    /// Reads a list. Lines that are none of it (comments, sizes, signatures) are passed over; a list without any is an error.
    pub fn read(place: &str, text: &str) -> Result<Self, String> {
        let mut digests = BTreeMap::new();
        for (name, digest) in text.lines().filter_map(line) {
            if let Some(other) = digests.insert(name.clone(), digest).filter(|other| *other != digest) {
                return Err(format!("{place} has two digests for {name}: {} and {}", other.short(), digest.short()));
            }
        }
        if digests.is_empty() {
            let other = text
                .lines()
                .filter_map(|line| line.split_whitespace().next())
                .any(|word| matches!(word.len(), 32 | 40 | 96 | 128) && word.bytes().all(|b| b.is_ascii_hexdigit()));
            let why = if other { "its digests are of another kind" } else { "there is no digest in it" };
            return Err(format!(
                "{place} is no list of SHA-256 digests: {why}; take the file called SHA256SUMS or the like"
            ));
        }
        Ok(Self { place: place.to_owned(), digests })
    }

    /// The digest that a file at this place must have. A file below the list's folder is found by its path there; another by its
    /// name, when only one digest bears it.
    pub fn digest_of(&self, place: &str) -> Result<Digest, String> {
        let folder = self.place.rfind('/').map_or("", |end| &self.place[..=end]);
        let relative = place.strip_prefix(folder).filter(|_| !folder.is_empty());
        if let Some(digest) = relative.and_then(|relative| self.digests.get(relative)) {
            return Ok(*digest);
        }
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let name = last(place);
        let mut named: Vec<Digest> =
            self.digests.iter().filter(|(path, _)| last(path) == name).map(|(_, digest)| *digest).collect();
        named.sort();
        named.dedup();
        match named[..] {
            [digest] => Ok(digest),
            [] => Err(format!(
                "{} does not list {name}, so nobody vouches for it: is it the list of this release? To add it all the same, \
                 leave --checksums out",
                self.place
            )),
            _ => Err(format!(
                "{} has several files called {name}: give the URL below the list's own folder, so that it is clear which",
                self.place
            )),
        }
    }
}

/// The name and the digest of a line, if it has them.
fn line(line: &str) -> Option<(String, Digest)> {
    let line = line.trim_end_matches('\r');
    if let Some(rest) = line.strip_prefix("SHA256 (") {
        let (name, digest) = rest.rsplit_once(") = ")?;
        return Some((plain(name), digest.trim().parse().ok()?));
    }
    // A backslash in front says that the name has some in it; such names are not for us.
    let (digest, rest) = line.split_at_checked(64)?;
    let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *")).or_else(|| rest.strip_prefix('\t'))?;
    Some((plain(name), digest.parse().ok()?))
}

fn plain(name: &str) -> String {
    name.trim_start_matches("./").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn digest(n: u8) -> Digest {
        Digest::new([n; 32])
    }

    #[test]
    fn a_file_is_found_by_its_path_below_the_list_or_by_a_name_of_its_own() {
        let text = format!("{A}  ./netboot/linux\n{B}  ./netboot/gtk/linux\r\n{A} *initrd.gz\n# {B}  other\n");
        let list = Checksums::read("http://d.example/images/SHA256SUMS", &text).expect("a list");
        assert_eq!(list.digest_of("http://d.example/images/netboot/linux"), Ok(digest(0xaa)));
        assert_eq!(list.digest_of("http://d.example/images/netboot/gtk/linux"), Ok(digest(0xbb)));
        assert_eq!(list.digest_of("http://mirror.example/initrd.gz"), Ok(digest(0xaa)));
        assert!(list.digest_of("http://mirror.example/linux").is_err_and(|why| why.contains("several files")));
        assert!(
            list.digest_of("http://d.example/images/vmlinuz").is_err_and(|why| why.contains("does not list vmlinuz"))
        );
    }

    #[test]
    fn fedora_s_lists_are_read_and_others_told_apart() {
        let text = format!("# Fedora.iso: 12 bytes\nSHA256 (Fedora (42).iso) = {A}\n");
        let list = Checksums::read("CHECKSUM", &text).expect("a list");
        assert_eq!(list.digest_of("/srv/Fedora (42).iso"), Ok(digest(0xaa)));
        let sha512 = format!("{A}{B}  linux\n");
        assert!(Checksums::read("SHA512SUMS", &sha512).is_err_and(|why| why.contains("another kind")));
        assert!(Checksums::read("x", "<html>404</html>").is_err_and(|why| why.contains("no digest")));
        let twice = format!("{A}  linux\n{B}  linux\n");
        assert!(Checksums::read("x", &twice).is_err_and(|why| why.contains("two digests for linux")));
        assert!(Checksums::read("x", &"é".repeat(40)).is_err());
    }
}
