//! Clients that others wrote.

use std::{fs, process::Output};

use serde_json::Value;

use super::{FULL, Lab, guest};

fn on_client(lab: &Lab, program: &str, arguments: &[&str]) -> Output {
    lab.net.on("cl", program).args(arguments).current_dir(&lab.logs).output().unwrap()
}

pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub fn lab_with_client(name: &str) -> Lab {
    let mut lab = Lab::new(name);
    lab.image("tiny", &[]);
    lab.persona("lab", "ephemeral", "tiny");
    lab.net.add_host("cl", None);
    fs::write(lab.logs.join("udhcpc.sh"), "#!/bin/sh\nenv | grep -E '^(ip|siaddr|bootfile|boot_file|lease|router|dns|serverid)=' | sort\n[ \"$1\" = bound ] && ip addr replace $ip/24 dev $interface\nexit 0\n").unwrap();
    let path = lab.logs.join("udhcpc.sh").display().to_string();
    assert!(std::process::Command::new("chmod").args(["+x", &path]).status().unwrap().success());
    lab
}

/// udhcpc as this firmware; what it was told.
fn udhcpc(lab: &Lab, class: &str, arch: &str) -> String {
    let output = udhcpc_on(lab, "eth0", class, arch);
    assert!(output.status.success(), "{class} {arch}: {}", text(&output));
    text(&output)
}

/// udhcpc on one interface of the client.
pub fn udhcpc_on(lab: &Lab, interface: &str, class: &str, arch: &str) -> Output {
    let arch = format!("0x5d:{arch}");
    let script = lab.logs.join("udhcpc.sh").display().to_string();
    let mut arguments =
        vec!["udhcpc", "-i", interface, "-n", "-q", "-f", "-t", "5", "-T", "1", "-s", &script, "-O", "67"];
    if !class.is_empty() {
        arguments.extend(["-V", class, "-x", &arch]);
    }
    on_client(lab, "busybox", &arguments)
}

#[test]
fn each_firmware_is_told_its_own_nbp_and_keeps_one_address() {
    let lab = lab_with_client("udhcpc");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let plain = udhcpc(&lab, "", "");
    let address = plain.lines().find_map(|line| line.strip_prefix("ip=")).unwrap().to_owned();
    assert!(address.starts_with("10.77.0.1") && plain.contains("router=10.77.0.1"), "{plain}");
    assert!(!plain.contains("bootfile"), "an ordinary client is told nothing of booting: {plain}");
    for (class, arch, wanted) in [
        ("PXEClient:Arch:00000:UNDI:002001", "0000", "/undionly.kpxe"),
        ("PXEClient:Arch:00007:UNDI:003000", "0007", "/snponly.efi"),
        ("PXEClient:Arch:00009:UNDI:003000", "0009", "/snponly.efi"),
        ("HTTPClient:Arch:00016:UNDI:003000", "0010", "http://10.77.0.1/boot/"),
    ] {
        let told = udhcpc(&lab, class, arch);
        assert!(told.contains(wanted), "{class}: {told}");
        assert!(told.contains(&format!("ip={address}")), "one address for firmware, iPXE and the system: {told}");
    }
    let unknown = udhcpc(&lab, "PXEClient:Arch:00099:UNDI:003000", "0063");
    assert!(!unknown.contains("bootfile"), "an unknown architecture gets an address and a reason: {unknown}");
    let devices: Value = serde_json::from_str(&daemon.ask(&["--json", "boots"]).unwrap()).unwrap();
    assert!(devices.to_string().contains("unknown-arch"), "the reason is in the timeline: {devices}");
}

#[test]
fn tftp_and_http_clients_get_exactly_these_bytes() {
    let lab = lab_with_client("clients");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let told = udhcpc(&lab, "PXEClient:Arch:00000:UNDI:002001", "0000");
    let name = told.lines().find_map(|line| line.strip_prefix("boot_file=")).unwrap();
    let nbp = fs::read("/usr/lib/ipxe/undionly.kpxe").unwrap();
    for (file, asked) in
        [("hpa", name.to_owned()), ("hpa-mangled", format!("/{}", name.replace("undionly", "UNDIONLY")))]
    {
        let got = on_client(&lab, "tftp", &["10.77.0.1", "-m", "binary", "-c", "get", &asked, file]);
        assert!(fs::read(lab.logs.join(file)).is_ok_and(|bytes| bytes == nbp), "tftp-hpa {asked}: {}", text(&got));
    }
    for (file, options) in
        [("atftp", &["--option", "blksize 1468", "--option", "windowsize 16"][..]), ("atftp-plain", &[])]
    {
        let arguments = [options, &["-g", "-r", name, "-l", file, "10.77.0.1"]].concat();
        let got = on_client(&lab, "atftp", &arguments);
        assert!(fs::read(lab.logs.join(file)).is_ok_and(|bytes| bytes == nbp), "atftp {file}: {}", text(&got));
    }
    let outside = on_client(&lab, "tftp", &["10.77.0.1", "-m", "binary", "-c", "get", "../../etc/passwd", "passwd"]);
    assert!(fs::read(lab.logs.join("passwd")).is_ok_and(|bytes| bytes.is_empty()), "{}", text(&outside));

    // The delivered NBP makes a second request of the same firmware a loop; iPXE comes next.
    let boot = name.split('/').next().unwrap();
    let images: Value = serde_json::from_str(&daemon.ask(&["--json", "image", "list"]).unwrap()).unwrap();
    let digest = images[0]["files"]["rootfs"]["sha256"].as_str().unwrap();
    let url = format!("http://10.77.0.1//blob/{digest}//{boot}/rootfs.bin");
    let rootfs = fs::read(guest::tiny().rootfs).unwrap();
    let whole = on_client(
        &lab,
        "curl",
        &["-fsS", "--max-redirs", "0", "-o", "whole", "-w", "%{http_code} %{size_download}", &url],
    );
    assert_eq!(text(&whole), format!("200 {}", rootfs.len()));
    assert_eq!(fs::read(lab.logs.join("whole")).unwrap(), rootfs);
    let part = on_client(&lab, "curl", &["-fsS", "-r", "1000000-1999999", "-o", "part", "-w", "%{http_code}", &url]);
    assert_eq!(
        (text(&part).as_str(), fs::read(lab.logs.join("part")).unwrap()),
        ("206", rootfs[1_000_000..2_000_000].to_vec())
    );
    let head = text(&on_client(&lab, "curl", &["-fsSI", &url])).to_lowercase();
    assert!(
        head.contains(&format!("content-length: {}", rootfs.len())) && head.contains("accept-ranges: bytes"),
        "{head}"
    );
    assert!(head.contains(&format!("etag: \"{digest}\"")), "{head}");
    let nbp_head = text(&on_client(&lab, "curl", &["-fsSI", &format!("http://10.77.0.1/boot/{boot}/ipxe.efi")]));
    assert!(nbp_head.to_lowercase().contains("content-length: "), "HTTP Boot asks HEAD first: {nbp_head}");
    let beyond = on_client(&lab, "curl", &["-sS", "-r", "99999999-", "-o", "/dev/null", "-w", "%{http_code}", &url]);
    assert_eq!(text(&beyond), "416");
    let twice =
        on_client(&lab, "curl", &["-fsS", "-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", &url, &url]);
    assert_eq!(text(&twice), "1 0 ", "the connection is kept");

    // A seed does not open without its token, nor for a boot that has no persona yet.
    let seed = on_client(
        &lab,
        "curl",
        &["-sS", "-o", "/dev/null", "-w", "%{http_code}", &format!("http://10.77.0.1/seed/{boot}/{:032}/user-data", 0)],
    );
    assert_eq!(text(&seed), "404");
    let script =
        text(&on_client(&lab, "curl", &["-fsS", &format!("http://10.77.0.1/boot/{boot}/script.ipxe?product=Bench")]));
    let seed_url = script
        .split_whitespace()
        .find_map(|word| word.strip_prefix("lab.post="))
        .unwrap()
        .replace("report", "user-data");
    let seed = text(&on_client(&lab, "curl", &["-fsS", &seed_url]));
    assert!(seed.starts_with("#cloud-config"), "{seed}");
    let log = fs::read_to_string(&daemon.log).unwrap();
    let token = seed_url.split('/').nth(5).unwrap();
    assert!(!log.contains(token), "a token never reaches the log");
}

#[test]
fn a_firmware_that_asks_again_for_its_nbp_is_refused_with_a_reason() {
    let lab = lab_with_client("loop");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let told = udhcpc(&lab, "PXEClient:Arch:00000:UNDI:002001", "0000");
    let name = told.lines().find_map(|line| line.strip_prefix("boot_file=")).unwrap();
    on_client(&lab, "tftp", &["10.77.0.1", "-m", "binary", "-c", "get", name, "nbp"]);
    let again = udhcpc(&lab, "PXEClient:Arch:00000:UNDI:002001", "0000");
    assert!(again.contains("ip=10.77.0.1") && !again.contains("undionly"), "an address, and no second NBP: {again}");
    let boots = daemon.ask(&["boots", "--timeline"]).unwrap();
    assert!(boots.contains("the NBP was delivered") && boots.contains("asked for again"), "{boots}");
}
