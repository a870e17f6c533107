//! Devices of another network, behind a relay that others wrote, and what is refused there.

use std::{fs, process::Stdio};

use super::{
    FULL, Lab,
    clients::{lab_with_client, text, udhcpc_on},
    machine::wait_for,
    net::Running,
};

/// The network behind the relay, which is 10.77.9.1 there and 10.77.0.3 on the server's.
const FAR: &str = "    - {subnet: 10.77.9.0/24, pools: 10.77.9.100-10.77.9.100, router: 10.77.9.1, lease: 1h}\n";

fn on(lab: &Lab, host: &str, program: &str, arguments: &[&str]) -> String {
    let output = lab.net.on(host, program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output));
    text(&output)
}

/// A relay between the server's network and one with a client `far0` of its own.
fn relayed(lab: &mut Lab) -> Running {
    lab.net.add_host("relay", Some("10.77.0.3/24"));
    let far = lab.net.host("cl");
    on(lab, "relay", "ip", &["link", "add", "eth1", "type", "veth", "peer", "name", "far0", "netns", &far]);
    on(lab, "relay", "ip", &["addr", "add", "10.77.9.1/24", "dev", "eth1"]);
    on(lab, "relay", "ip", &["link", "set", "eth1", "up"]);
    on(lab, "cl", "ip", &["link", "set", "far0", "up"]);
    on(lab, "srv", "ip", &["route", "add", "10.77.9.0/24", "via", "10.77.0.3"]);
    let mut dnsmasq = lab.net.on("relay", "dnsmasq");
    dnsmasq.args(["--no-daemon", "--conf-file=/dev/null", "--port=0", "--dhcp-relay=10.77.9.1,10.77.0.1"]);
    Running(dnsmasq.stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn row_19_a_device_behind_a_relay_boots_and_a_full_network_is_told() {
    let mut lab = lab_with_client("relay");
    let _relay = relayed(&mut lab);
    let config = FULL.replace("images:", &format!("{FAR}images:"));
    let daemon = lab.serve(&format!("{config}boot: {{default: lab}}\n"));

    let told = wait_for(super::boots::LIMIT, || {
        let told = text(&udhcpc_on(&lab, "far0", "PXEClient:Arch:00007:UNDI:003000", "0007"));
        told.contains("boot_file").then_some(told)
    });
    let told = told.unwrap_or_else(|| panic!("the relay is up; {}", fs::read_to_string(&daemon.log).unwrap()));
    assert!(told.contains("ip=10.77.9.100") && told.contains("router=10.77.9.1"), "an address of its network: {told}");
    assert!(told.contains("/snponly.efi") && told.contains("siaddr=10.77.0.1"), "{told}");

    // The one address is taken: another device hears nothing, and whoever looks is told why.
    on(&lab, "cl", "ip", &["link", "set", "far0", "address", "52:54:00:77:99:02"]);
    let second = text(&udhcpc_on(&lab, "far0", "PXEClient:Arch:00007:UNDI:003000", "0007"));
    assert!(!second.contains("ip="), "{second}");
    let boots = daemon.ask(&["boots", "--mac", "52:54:00:77:99:02"]).unwrap();
    assert!(boots.contains("refused") && boots.contains("every address of 10.77.9.0/24 is taken"), "{boots}");
    let log = fs::read_to_string(&daemon.log).unwrap();
    assert!(log.contains("52:54:00:77:99:02") && log.contains("every address of 10.77.9.0/24 is taken"), "{log}");
}

#[test]
fn once_its_ports_are_bound_the_daemon_is_no_longer_root() {
    let lab = lab_with_client("nobody");
    for start in ["the first", "one that finds what the first left"] {
        let daemon = lab.serve(&format!("user: nobody\n{FULL}boot: {{default: lab}}\n"));
        let threads = fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
        // Some may have ended since they were listed.
        let read = threads.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).ok());
        let threads: Vec<String> = read.collect();
        assert!(!threads.is_empty(), "{start}: it runs");
        for status in threads {
            let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
            assert_eq!(line("Uid:"), "65534\t65534\t65534\t65534", "{start}: {status}");
            assert_eq!(u64::from_str_radix(&line("CapPrm:"), 16), Ok(0), "{start}: {status}");
        }
        let told = text(&udhcpc_on(&lab, "eth0", "PXEClient:Arch:00000:UNDI:002001", "0000"));
        let name = told.lines().find_map(|line| line.strip_prefix("boot_file=")).unwrap().to_owned();
        on(&lab, "cl", "tftp", &["10.77.0.1", "-m", "binary", "-c", "get", &name, "/dev/null"]);
        let image = daemon.ask(&["image", "warm", "tiny"]).unwrap_or_else(|error| panic!("{start}: {error}"));
        assert!(image.contains("in the cache"), "{image}");
        daemon.ask(&["device", "list"]).unwrap();
        drop(daemon);
        // The attempt that was just chainloaded is no loop of the next one's.
        on(&lab, "cl", "ip", &["link", "set", "eth0", "address", "52:54:00:77:99:03"]);
    }
}

#[test]
fn what_keeps_a_port_from_the_daemon_is_named() {
    let lab = lab_with_client("ports");
    let config = lab.logs.join("greenroom.yaml");
    let start = |body: &str, as_nobody: bool| {
        fs::write(&config, format!("state_dir: state\nlibrary: library\nadmin_socket: admin.sock\n{body}")).unwrap();
        let mut serve = lab.net.on("srv", "setpriv");
        if as_nobody {
            serve.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]);
        }
        let output = serve.arg(super::binary()).args(["serve", "--config"]).arg(&config).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        text(&output).lines().last().unwrap().to_owned()
    };
    let not_permitted = start("dhcp: {mode: proxy}\nhttp: {port: 8080}\n", true);
    assert!(not_permitted.contains("run as root, or give the program CAP_NET_BIND_SERVICE"), "{not_permitted}");
    let mut dnsmasq = lab.net.on("srv", "dnsmasq");
    dnsmasq.args(["--no-daemon", "--conf-file=/dev/null", "--port=0", "--dhcp-range=10.77.0.50,10.77.0.99"]);
    let _dnsmasq = Running(dnsmasq.stderr(Stdio::null()).spawn().unwrap());
    let has_67 = || on(&lab, "srv", "ss", &["-Hlun", "sport", "=", ":67"]).contains(":67").then_some(());
    wait_for(super::boots::LIMIT, has_67).unwrap();
    let in_use = start("dhcp: {mode: proxy}\n", false);
    assert!(in_use.contains("DHCP: port 67 is in use by dnsmasq (process "), "{in_use}");
    on(&lab, "srv", "ip", &["addr", "flush", "dev", "eth0"]);
    let nothing = start("dhcp: {mode: proxy}\n", false);
    assert!(nothing.contains("no interface of this machine has an IPv4 address"), "{nothing}");
}
