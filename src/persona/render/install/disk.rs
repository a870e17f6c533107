//! Finding the one disk that the persona means, on the device itself.
//!
//! Installers take the first disk, or the largest, when several fit. That wipes the wrong one some day, so this is a script
//! that counts: it goes on only when exactly one fits, and otherwise says on the console what there is, and stops. It runs
//! in the shells of four installers, one of them BusyBox's.

use crate::persona::{
    Persona,
    schema::{Disk, Install},
};

use super::{
    super::{Subject, shell_word},
    layout::Layout,
};

/// What the script does when it has not found exactly one disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::persona::render) enum Failing {
    /// It ends; the installer stops by itself.
    Ends,
    /// It never ends: the installer would go on.
    Holds,
}

/// The script's text up to where `$disk` is the kernel's name of the one disk: `/dev/nvme0n1`. `post` is a command that
/// posts its last argument, a JSON text, to where the device reports.
pub(in crate::persona::render) fn find_disk(
    persona: &Persona,
    install: &Install,
    subject: &Subject<'_>,
    post: &str,
    failing: Failing,
) -> String {
    let disk = &install.disk;
    let end = match failing {
        Failing::Ends => "exit 1",
        Failing::Holds => "while :; do sleep 3600; done",
    };
    let text = |text: &Option<String>| shell_word(text.as_deref().unwrap_or_default());
    // A sector of /sys/block is 512 bytes, whatever the disk's own are.
    let least = disk.min_size.map_or(1, |size| size.0.div_ceil(512).max(1));
    let most = disk.max_size.map_or_else(String::new, |size| (size.0 / 512).to_string());
    let wanted = shell_word(&in_words(disk));
    format!(
        r#"# Finds the one disk that the persona means. Nothing is written unless exactly one fits.
path={path} serial={serial} model={model} least={least} most={most}
say() {{
    for console in /dev/console /dev/tty1; do
        [ ! -c $console ] || printf '\r\n%s\r\n' "$*" 2>/dev/null >$console || :
    done
    printf '%s\n' "$*" >&2
}}
# The Debian installer's tr knows no classes.
clean() {{ printf %s "$*" | tr -cd 'A-Za-z0-9 ._:/+@,=()~-' | cut -c1-200; }}
stop() {{
    say "GREENROOM STOPS THE INSTALLATION: $*"
    say "Wanted: "{wanted}". There is:$seen"
    {post} "{{\"phase\":\"failed\",\"message\":\"$(clean "$*")\"}}" || :
    {end}
}}
# As udev writes it: no spaces at the ends, one underscore for each run of others.
plain() {{ printf %s "$*" | sed 's/^[ _]*//; s/[ _]*$//; s/[ _][ _]*/_/g'; }}
read_file() {{ [ ! -r "$1" ] || tr -d '\000\n' <"$1"; }}
udevadm settle --timeout=60 || :
real=
[ -z "$path" ] || real=$(readlink -f "$path") || :
found='' count=0 seen=''
for block in /sys/block/*; do
    name=${{block##*/}}
    case $name in loop*|ram*|zram*|sr*|fd*|md*|dm-*|nbd*|mmcblk*boot*|mmcblk*rpmb) continue;; esac
    sectors=$(read_file "$block/size")
    [ "${{sectors:-0}}" -gt 0 ] && [ "$(read_file "$block/ro")" = 0 ] || continue
    device=/dev/$(printf %s "$name" | tr '!' /)
    known=$(udevadm info --query=property --name="$device" 2>/dev/null) || known=
    property() {{ printf '%s\n' "$known" | sed -n "s/^$1=//p"; }}
    own_model=$(property ID_MODEL) own_serial=$(property ID_SERIAL_SHORT)
    [ -n "$own_model" ] || own_model=$(read_file "$block/device/model")
    [ -n "$own_serial" ] || own_serial=$(read_file "$block/serial")
    seen="$seen $device ($((sectors / 2097152)) GiB, model $(plain "$own_model"), serial $(plain "$own_serial"));"
    [ -z "$path" ] || [ "$device" = "$real" ] || continue
    [ "$sectors" -ge "$least" ] || continue
    [ -z "$most" ] || [ "$sectors" -le "$most" ] || continue
    if [ -n "$model" ]; then
        fits=
        for one in "$own_model" "$(read_file "$block/device/model")"; do
            case $(plain "$one") in "$(plain "$model")"*) fits=yes;; esac
        done
        [ -n "$fits" ] || continue
    fi
    if [ -n "$serial" ]; then
        fits=
        for one in "$own_serial" "$(property ID_SERIAL)" "$(property ID_SCSI_SERIAL)" "$(read_file "$block/device/serial")"; do
            [ "$(plain "$one")" != "$(plain "$serial")" ] || fits=yes
        done
        [ -n "$fits" ] || continue
    fi
    found=$device room=$sectors count=$((count + 1))
done
case $count in
    0) stop "no disk of this device is the one that persona {persona} is installed to";;
    1) disk=$found;;
    *) stop "$count disks of this device fit what persona {persona} says of its disk";;
esac
[ "$room" -ge {needs} ] || stop "$disk is too small for what persona {persona} makes on it"
say "Greenroom installs persona {persona} to $disk"
"#,
        needs = Layout::of(persona, install).least().0.div_ceil(512),
        path = text(&disk.path),
        serial = text(&disk.serial),
        model = text(&disk.model),
        persona = subject.persona,
    )
}

/// What is said of the disk, for the console.
fn in_words(disk: &Disk) -> String {
    let text = |name: &str, text: &Option<String>| text.as_ref().map(|text| format!("{name} {text}"));
    let words = [
        text("path", &disk.path),
        text("serial", &disk.serial),
        text("model", &disk.model),
        disk.min_size.map(|size| format!("at least {size}")),
        disk.max_size.map(|size| format!("at most {size}")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
