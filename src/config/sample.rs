//! The configuration that `greenroom config init` writes.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// A commented configuration for a server with this address on this interface. It begins in proxy mode, which disturbs no
/// DHCP server that is already there.
pub fn sample(interface: &str, address: Ipv4Addr) -> String {
    let net = Ipv4Net::new(address, 24).map(|net| net.trunc()).unwrap_or_default();
    let host = |n: u8| {
        let [a, b, c, _] = net.network().octets();
        Ipv4Addr::new(a, b, c, n)
    };
    format!(
        "\
# Greenroom's configuration. `greenroom config check` checks it; `greenroom serve` uses it.
# Everything that is commented out shows its default.

# Where the journal (leases, assignments, history) and the image cache lie.
state_dir: /var/lib/greenroom

# Whom to become once every port is bound. That user must be able to read the personas, their secrets and image files.
# user: greenroom                         # useradd --system greenroom

# The personas: a git work tree, say. Image manifests lie in its folder images/.
library: /etc/greenroom/personas

# The library is pulled (fast-forward only: local commits and edits are never lost) every so often, and at once when the git
# host calls POST /hooks/library, signed with the secret of this name (X-Hub-Signature-256, as GitHub and Forgejo do).
# library_remote:
#   url: https://git.example/boot/personas.git   # without it, the work tree's own upstream
#   branch: main
#   every: 5m
#   webhook_secret: library-webhook

# Passphrases and passwords that personas name, one file each: /etc/greenroom/secrets/disk-passphrase.
# secrets_dir: /etc/greenroom/secrets

# admin_socket: /run/greenroom/admin.sock
# log: {{level: info, format: text}}        # format: json for log collectors

dhcp:
  # proxy: another server gives addresses, Greenroom adds what to boot. Safe to try.
  # full:  Greenroom is the DHCP server of the subnets below.
  mode: proxy
  interfaces: [{interface}]
  # authoritative: true
  # subnets:
  #   - subnet: {net}
  #     pools: {first}-{last}
  #     router: {router}
  #     dns: [{router}]
  #     domain: lab.example
  #     lease: 12h
  #     reservations:
  #       - {{mac: \"52:54:00:00:00:01\", ip: {reserved}, hostname: bench-1}}

# Image files may be held to a rate in bytes a second: each client's, and all clients' together, shared fairly among them.
# http: {{port: 80, client_rate: 50MiB, total_rate: 800MiB}}   # without them, as fast as the network carries
# tftp: {{enabled: true}}

# The API for other programs, and its pages: http://127.0.0.1:8008/api/v1/. It needs tokens: `greenroom token create`. Beyond
# this machine it speaks TLS. Rates are requests a second, of a token and of an address.
api: {{listen: \"127.0.0.1:8008\"}}
# api: {{listen: \"0.0.0.0:8443\", cert: tls/fullchain.pem, key: tls/privkey.pem, token_rate: 50, address_rate: 100}}
# Who may open the pages: `greenroom account add`. Behind a proxy on this machine (which must pass Host on, and set
# X-Forwarded-For) say where browsers find them. Beside the accounts that are made here, an issuer's can be let in.
#   url: https://boot.example
#   session: {{idle: 12h, most: 7d}}
#   oidc:
#     issuer: https://id.example/realms/lab
#     client_id: greenroom                  # and the redirect URI is https://boot.example/sign-in/oidc/callback
#     client_secret: oidc-client            # a file of secrets_dir
#     name: preferred_username
#     roles: {{claim: groups, admin: [it-admins], author: [imaging], operator: [service-desk], viewer: [staff]}}

# What devices say while they boot is shown with their attempts: iPXE (when built with it; port 514 only), Anaconda and Debian's
# installer are told to send it here, by syslog over UDP. Anybody on the network can send lines; they are kept in memory only.
# syslog: {{listen: \"0.0.0.0:514\"}}

boot:
  # The persona of devices that nothing else names. Without one, they boot their disks.
  # default: kiosk-live
  # nbp_dir: /usr/lib/ipxe
  # stuck_after: 15m
  # installs_per_hour: 3
  # quirks:                               # models that need it otherwise than others of their kind
  #   - {{match: {{product: \"OptiPlex 3*\"}}, option_43: use-bootfile, option_67: false, disk: sanboot}}
  #   - {{match: {{oui: \"00:25:90\"}}, rate: 20MiB}}   # whose iPXE driver stalls at line rate
  rules: []
  #  - name: kiosks
  #    match: {{manufacturer: \"Dell*\", arch: x64}}
  #    persona: kiosk-live
  #  - name: developers in Berlin          # as `greenroom device set` and `user set` say, or the directory
  #    match: {{attributes: {{role: \"dev*\", location: berlin}}}}
  #    persona: workstation-debian
  #  - name: the lab's wall sockets        # option 82, as the switch or relay puts it
  #    match: {{remote: sw-lab, circuit: \"Gi1/0/*\"}}
  #    persona: kiosk-live

# The image cache: its tiers, how fast it moves by itself (bytes in a second) what no device waits for, and how long an image
# file may make no progress before it is refused. `aim: bytes` keeps what spares a thin line to the origins most bytes, rather
# than what most boots find at hand.
# images: {{ram: 1GiB, disk: 50GiB, keeper_rate: 32MiB, patience: 1m, aim: hits}}
# Beside them, where origins like s3://bucket/key are (Amazon's without `endpoint`), and the names of the secrets with its key;
# without these, AWS_* of the environment, or nobody, as public buckets allow. `instance: true` asks the machine's own role.
#   s3: {{endpoint: \"https://minio.example:9000\", access_key: s3-access-key, secret_key: s3-secret-key}}

# Who people are: a SCIM 2.0 directory is asked every so often, and `greenroom user pull` asks it at once. Each attribute is one
# of a user's fields; a device whose attribute `user` is their userName has theirs, where it has none of its own.
# directory:
#   url: https://directory.example/scim/v2/Users
#   token_secret: directory-token           # a file of secrets_dir with the bearer token
#   every: 15m
#   attributes:
#     role: title
#     location: addresses[type eq \"work\"].locality
#     department: urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department

# What is learnt of devices: which personas they will want. Predictions always warm the cache. They choose a persona where
# nobody assigned one and no rule fits, when they are sure enough: at a cost of 4 (a wrong persona costs four times what a
# right one gains) from 0.8 on. One that wipes the disk is only proposed, unless `arm: new-devices` says otherwise.
# predict: {{choose: true, cost_of_wrong: 4, propose: 0.5, arm: never, every: 15m, horizon: 1h}}

# Other systems are told of what happens, by posts that are signed after the Standard Webhooks specification and tried for a
# day. Their secret is a file of secrets_dir, made by `echo whsec_$(openssl rand -base64 32)`.
# webhooks:                               # without `events`, of all: proposal-declined and device-described as well
#   - {{name: helpdesk, url: \"https://desk.example/hooks/greenroom\", secret: helpdesk-webhook,
#      events: [assignment, boot-finished, boot-stuck]}}

# site:
#   mirrors: {{debian: \"http://deb.debian.org/debian\", debian_security: \"http://deb.debian.org/debian-security\"}}
",
        first = host(100),
        last = host(199),
        router = host(1),
        reserved = host(50),
    )
}
