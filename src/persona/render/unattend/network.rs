//! The network of Windows: adapters by MAC or name, addresses, name servers, time servers, the proxy.

use std::fmt::Write as _;

use crate::persona::{
    Persona,
    schema::{Interface, Ip, Network, Proxy},
};

use super::powershell::{array, literal, step};

/// The steps.
pub(super) fn steps(persona: &Persona) -> String {
    let network = &persona.network;
    let mut steps = String::new();
    for (at, interface) in network.interfaces.iter().enumerate() {
        let name = interface.name.clone().unwrap_or_else(|| format!("port {}", at + 1));
        steps.push_str(&step(&format!("network {name}"), &adapter(network, interface)));
    }
    if !network.search.is_empty() {
        let domains = array(network.search.iter().map(String::as_str));
        steps.push_str(&step("search domains", &format!("Set-DnsClientGlobalSetting -SuffixSearchList {domains}")));
    }
    if network.ipv6 == Some(false) {
        steps.push_str(&step("no IPv6", "Disable-NetAdapterBinding -Name '*' -ComponentID ms_tcpip6"));
    }
    if !network.ntp.is_empty() {
        let peers = literal(&format!("/manualpeerlist:{}", network.ntp.join(" ")));
        let body = format!(
            "Set-Service -Name w32time -StartupType Automatic\n\
             Start-Service -Name w32time\n\
             & w32tm.exe /config {peers} /syncfromflags:manual /update"
        );
        steps.push_str(&step("time servers", &body));
    }
    if let Some(proxy) = &network.proxy {
        steps.push_str(&step("proxy", &proxy_body(proxy)));
    }
    steps
}

/// Finds the adapter, and gives it its name and its addresses.
fn adapter(network: &Network, interface: &Interface) -> String {
    let mut body = match (&interface.mac, &interface.name) {
        (Some(mac), _) => {
            let mac = mac.to_string().to_uppercase().replace(':', "-");
            format!("$adapter = Get-NetAdapter -Physical | Where-Object MacAddress -eq '{mac}'\n")
        }
        (None, name) => format!("$adapter = Get-NetAdapter -Name {}\n", literal(name.as_deref().unwrap_or_default())),
    };
    body.push_str("if (@($adapter).Count -ne 1) { throw 'there is no such port' }\n$index = $adapter.InterfaceIndex\n");
    if let (Some(_), Some(name)) = (&interface.mac, &interface.name) {
        let _ = writeln!(body, "Rename-NetAdapter -InputObject $adapter -NewName {}", literal(name));
    }
    let default = Ip::default();
    let ip = interface.ip.as_ref().unwrap_or(&default);
    if let Some(mtu) = ip.mtu {
        let _ = writeln!(body, "Set-NetIPInterface -InterfaceIndex $index -NlMtuBytes {mtu}");
    }
    let dhcp = if ip.asks_dhcp() { "Enabled" } else { "Disabled" };
    let _ = writeln!(body, "Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp {dhcp}");
    for net in &ip.addresses {
        let (address, prefix) = (net.addr(), net.prefix_len());
        let _ = writeln!(
            body,
            "New-NetIPAddress -InterfaceIndex $index -IPAddress '{address}' -PrefixLength {prefix} -SkipAsSource $false"
        );
    }
    if ip.addresses.is_empty() {
        return body;
    }
    let routes = [
        ip.gateway.map(|gateway| ("0.0.0.0/0", gateway.to_string())),
        ip.gateway6.map(|gateway| ("::/0", gateway.to_string())),
    ];
    for (to, via) in routes.into_iter().flatten() {
        let _ = writeln!(body, "New-NetRoute -InterfaceIndex $index -DestinationPrefix '{to}' -NextHop '{via}'");
    }
    if !network.dns.is_empty() {
        let servers: Vec<String> = network.dns.iter().map(ToString::to_string).collect();
        let servers = array(servers.iter().map(String::as_str));
        let _ = writeln!(body, "Set-DnsClientServerAddress -InterfaceIndex $index -ServerAddresses {servers}");
    }
    body
}

/// For Windows' own services, and for programs that read the variables.
fn proxy_body(proxy: &Proxy) -> String {
    let https = proxy.https.as_ref().unwrap_or(&proxy.http);
    let servers = format!("http={};https={}", host(&proxy.http), host(https));
    let mut body = format!("& netsh.exe winhttp set proxy {}", literal(&format!("proxy-server={servers}")));
    if !proxy.no_proxy.is_empty() {
        let _ = write!(body, " {}", literal(&format!("bypass-list={}", proxy.no_proxy.join(";"))));
    }
    let variables =
        [("HTTP_PROXY", proxy.http.clone()), ("HTTPS_PROXY", https.clone()), ("NO_PROXY", proxy.no_proxy.join(","))];
    for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(body, "\n[Environment]::SetEnvironmentVariable('{name}', {}, 'Machine')", literal(value));
    }
    body
}

/// A proxy without its scheme: WinHTTP names hosts and ports.
fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/')
}
