//! openSUSE and SUSE: linuxrc, whose installer comes from a tree of packages that no medium is a substitute for.

use crate::model::image::Role;

use super::{Find, Medium, Verdict, about};

pub(super) fn look(medium: &Medium) -> Result<Option<Verdict>, String> {
    for (folder, arch) in [("boot/x86_64/loader", "x86_64"), ("boot/aarch64", "aarch64")] {
        let (kernel, initrd) = (medium.file(&format!("{folder}/linux"))?, medium.file(&format!("{folder}/initrd"))?);
        let (Some(kernel), Some(initrd)) = (kernel, initrd) else { continue };
        // `/ openSUSE-Leap 15.6-1`, of the product; the label has it as well.
        let said = medium.text("media.1/products")?.unwrap_or_default();
        let said = if said.is_empty() { medium.label().to_owned() } else { said };
        let Some((name, tree)) = tree(&said) else {
            let what = if said.is_empty() { "a medium of SUSE's kind".to_owned() } else { said.trim().to_owned() };
            let why = format!(
                "its installer comes from a tree of packages, and this medium does not say which: serve the tree by HTTP, and \
                 add `--kernel .../{kernel} --initrd .../{initrd} --arg netsetup=dhcp --arg install=http://...`"
            );
            return Ok(Some(Verdict::Cannot { what, why }));
        };
        let mut find = Find::of(medium, name, &[(Role::Kernel, &kernel), (Role::Initrd, &initrd)]);
        find.args = vec!["netsetup=dhcp".into(), format!("install={tree}")];
        find.distribution = Some("other");
        find.arch = about::arch_of(arch);
        let note = format!(
            "the installer and its packages come from {tree}; it asks its questions: Greenroom writes no AutoYaST"
        );
        return Ok(Some(find.note(note).boots()));
    }
    Ok(None)
}

/// What a product is called, and where its tree is.
fn tree(said: &str) -> Option<(String, String)> {
    if said.contains("Tumbleweed") {
        return Some(("openSUSE Tumbleweed".into(), "http://download.opensuse.org/tumbleweed/repo/oss/".into()));
    }
    let version = said.contains("Leap").then(|| about::version_in(said))??;
    Some((
        format!("openSUSE Leap {version}"),
        format!("http://download.opensuse.org/distribution/leap/{version}/repo/oss/"),
    ))
}
