//! The first steps of a daemon that has nothing yet: what to do, with the commands, ticked off as they are done.

use serde::Serialize;

use crate::{model::site::DhcpMode, serve::Context};

/// One thing to do.
#[derive(Debug, Serialize)]
pub(super) struct FirstStep {
    /// What.
    pub(super) title: &'static str,
    /// Whether it is done.
    pub(super) done: bool,
    /// What there is now, or why it is to be done.
    pub(super) said: String,
    /// How.
    pub(super) commands: &'static str,
    /// A page that helps, and what it is called.
    pub(super) link: Option<(&'static str, &'static str)>,
}

/// What is to be done before the first machine becomes something; none when all of it is.
pub(super) fn first_steps(context: &Context) -> Vec<FirstStep> {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let (images, personas, devices) =
        (ground.catalog.images().count(), ground.catalog.personas().count(), world.devices.size());
    let served = ground.site.addresses.len();
    let steps = vec![
        FirstStep {
            title: "Serve an interface",
            done: ground.site.mode != DhcpMode::Off,
            said: match ground.site.mode {
                DhcpMode::Off => "DHCP is off: devices that ask for something to boot get no answer.".into(),
                DhcpMode::Proxy => format!("Beside another DHCP server, at {served} addresses of this server."),
                DhcpMode::Full => format!("As the DHCP server, at {served} addresses of this server."),
            },
            commands: "greenroom config init > /etc/greenroom/greenroom.yaml\ngreenroom config check\n\
                       systemctl restart greenroom",
            link: None,
        },
        FirstStep {
            title: "Add an image",
            done: images > 0,
            said: match images {
                0 => "The kernel and files that devices start: from an ISO, a netboot tree or a registry.".into(),
                _ => format!("{images} in the library."),
            },
            commands: "greenroom image add debian-live --kernel vmlinuz --initrd initrd --rootfs filesystem.squashfs \\\n    \
                       --arg boot=live --arg 'fetch={{blob:rootfs}}'",
            link: Some(("/images", "Images")),
        },
        FirstStep {
            title: "Write a persona",
            done: personas > 0,
            said: match personas {
                0 => "What devices become: system, applications, users, network, in one YAML document.".into(),
                _ => format!("{personas} in the library."),
            },
            commands: "cp -r personas /etc/greenroom/\ngreenroom persona check /etc/greenroom/personas",
            link: Some(("/personas", "Personas")),
        },
        FirstStep {
            title: "Boot a device",
            done: devices > 0,
            said: match devices {
                0 => "Switch one on that boots from the network. It shows up here within a second.".into(),
                _ => format!("{devices} spoke."),
            },
            commands: "greenroom device assign 52:54:00:77:00:11 kiosk-live\ngreenroom boots --follow",
            link: Some(("/boots", "Boots")),
        },
    ];
    if images > 0 && personas > 0 && devices > 0 { vec![] } else { steps }
}
