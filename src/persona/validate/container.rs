//! Containers: their names, images, ports, volumes and environment.

use std::net::IpAddr;

use crate::{
    document::Check,
    persona::{
        Persona,
        schema::{Container, Family, Ports},
    },
};

use super::{brief, listed, once, shape::is_absolute};

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    // Docker takes a bare name from its own registry; Podman asks, and there is nobody to answer.
    let asks = persona.os.distribution().family() != Family::Flatcar;
    let containers = &persona.apps.containers;
    for (at, container) in containers.iter().enumerate() {
        one(check, &format!("apps.containers.{at}"), container, asks);
    }
    once(check, containers.iter().enumerate().map(|(at, one)| (format!("apps.containers.{at}.name"), &one.name)));
}

fn one(check: &mut Check<'_>, path: &str, container: &Container, asks: bool) {
    let name = &container.name;
    let named = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 200
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let message = format!("`{}` cannot name a container", brief(name));
    check.require(named, "GR075", &format!("{path}.name"), message, "letters, digits, `_`, `.` and `-`");

    let image = Image::of(&container.image);
    let help = "write registry/name:tag, as docker.io/library/nginx:1.27";
    let message = format!("`{}` is no image that can be fetched", brief(&container.image));
    let at = format!("{path}.image");
    check.require(image.is_whole() && (!asks || image.registry.is_some()), "GR076", &at, message, help);
    let message = format!("`{}` is another image every week", brief(&container.image));
    let help = "name a version, as `:1.27`, or a digest, so that two devices run the same";
    check.warn(image.digest || !matches!(image.tag, None | Some("latest")), "GR077", &at, message, help);

    for (path, port) in listed(&format!("{path}.ports"), &container.ports) {
        let message = format!("`{}` publishes no port", brief(port));
        check.require(is_publication(port), "GR078", &path, message, "write 8080:80, or 127.0.0.1:5432:5432/tcp");
    }
    for (path, volume) in listed(&format!("{path}.volumes"), &container.volumes) {
        let message = format!("`{}` mounts nothing", brief(volume));
        let help = "write /srv/web:/usr/share/nginx/html:ro, or name:/path";
        check.require(is_mount(volume), "GR079", &path, message, help);
    }
    for variable in container.environment.keys() {
        let plain = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let message = format!("`{}` cannot name a variable", brief(variable));
        let help = "letters, digits and `_`, not beginning with a digit";
        check.require(plain, "GR083", &format!("{path}.environment.{variable}"), message, help);
    }
}

/// An image's name, taken apart.
struct Image<'a> {
    registry: Option<&'a str>,
    name: &'a str,
    tag: Option<&'a str>,
    digest: bool,
}

impl<'a> Image<'a> {
    fn of(text: &'a str) -> Self {
        let (text, digest) = text.split_once("@sha256:").map_or((text, false), |(name, _)| (name, true));
        let (registry, rest) = match text.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
            _ => (None, text),
        };
        let (name, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
        Self { registry, name, tag, digest }
    }

    fn is_whole(&self) -> bool {
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
        };
        let tag = |tag: &str| !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let host = |host: &str| host.chars().all(|c| c.is_ascii_alphanumeric() || ".:-".contains(c));
        self.name.split('/').all(part) && self.tag.is_none_or(tag) && self.registry.is_none_or(host)
    }
}

/// `[address:][port:]port[/protocol]`, with ranges.
fn is_publication(text: &str) -> bool {
    let (ports, protocol) = text.split_once('/').map_or((text, "tcp"), |(ports, protocol)| (ports, protocol));
    let (address, ports) = match ports.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((address, ports)) => (Some(address), ports),
        None if ports.split(':').count() == 3 => match ports.split_once(':') {
            Some((address, ports)) => (Some(address), ports),
            None => (None, ports),
        },
        None => (None, ports),
    };
    let is_port = |port: &str| port.parse::<Ports>().is_ok();
    matches!(protocol, "tcp" | "udp" | "sctp")
        && address.is_none_or(|address| address.parse::<IpAddr>().is_ok())
        && (1..=2).contains(&ports.split(':').count())
        && ports.split(':').all(is_port)
}

/// `source:target[:options]`.
fn is_mount(text: &str) -> bool {
    let mut parts = text.split(':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else { return false };
    let volume = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    let options = parts.next().is_none_or(|options| {
        !options.is_empty() && options.chars().all(|c| c.is_ascii_alphanumeric() || ",=_-".contains(c))
    });
    (is_absolute(source) || volume(source)) && is_absolute(target) && options && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_mounts_as_podman_takes_them() {
        for good in ["80", "8080:80", "127.0.0.1:5432:5432/tcp", "[::1]:53:53/udp", "6000-6010:6000-6010"] {
            assert!(is_publication(good), "{good}");
        }
        for bad in ["", "web", "80:", "1:2:3", "80/icmp", "70000:80", "127.0.0.1:80:80:80"] {
            assert!(!is_publication(bad), "{bad}");
        }
        for good in ["/srv:/srv", "data:/var/lib/x:ro,Z"] {
            assert!(is_mount(good), "{good}");
        }
        for bad in ["/srv", "srv/x:/srv", "/srv:srv", "/a:/b:", "/a:/b:ro:x", "/a/../b:/b"] {
            assert!(!is_mount(bad), "{bad}");
        }
    }

    #[test]
    fn images_are_taken_apart_at_the_right_colons() {
        let image = Image::of("registry.example:5000/team/app:1.2");
        assert_eq!((image.registry, image.name, image.tag), (Some("registry.example:5000"), "team/app", Some("1.2")));
        assert!(Image::of("docker.io/library/nginx@sha256:00").digest);
        assert!(!Image::of("Docker.io/Nginx").is_whole() && !Image::of("quay.io/a:").is_whole());
    }
}
