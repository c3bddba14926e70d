//! The hosts of the estate, from a seed.

use std::net::{IpAddr, Ipv4Addr};

use tenon_model::AssetId;

/// What hosts of one kind have in common.
#[derive(Debug)]
pub(crate) struct Role {
    /// How their names begin.
    pub(crate) prefix: &'static str,
    /// Whose they are.
    pub(crate) team: &'static str,
    /// How many there are of 2,000.
    pub(crate) count: usize,
    /// What runs on them besides what runs everywhere; see [`crate::packages`].
    pub(crate) packages: &'static [&'static str],
    /// The second byte of their addresses, in 10.0.0.0/8.
    pub(crate) network: u8,
    /// Ports on which they listen for others.
    pub(crate) ports: &'static [u16],
}

const fn role(
    prefix: &'static str,
    team: &'static str,
    count: usize,
    network: u8,
    ports: &'static [u16],
    packages: &'static [&'static str],
) -> Role {
    Role { prefix, team, count, packages, network, ports }
}

/// The team on whose hosts the story is told.
pub(crate) const HERO: &str = "shop";
/// How the names of the story's hosts begin.
pub(crate) const HERO_HOSTS: &str = "web";
/// The team whose rollout is under way when the visitor comes.
pub(crate) const DATA: &str = "data";

/// Every kind of host.
pub(crate) const ROLES: &[Role] = &[
    role("web", "shop", 48, 10, &[443], &["lanternd", "mortise", "cinderlog"]),
    role("cart", "shop", 80, 11, &[8443], &["kestrel-runtime", "mortise", "tallyq"]),
    role("search", "shop", 40, 12, &[9200], &["kestrel-runtime", "fathom-agent"]),
    role("pay-api", "payments", 60, 20, &[8443], &["kestrel-runtime", "mortise", "fathom-agent"]),
    role("pay-db", "payments", 24, 21, &[5432], &["quillsql-15", "mortise"]),
    role("db", "data", 40, 30, &[5432], &["quillsql-15", "fathom-agent"]),
    role("etl", "data", 100, 31, &[], &["kestrel-runtime", "vellum", "pebble-image"]),
    role("node", "platform", 300, 40, &[10250], &["harrow-runtime", "fathom-agent", "cinderlog"]),
    role("runner", "platform", 120, 41, &[], &["harrow-runtime", "pebble-image"]),
    role("mon", "platform", 20, 42, &[9090], &["tallyq", "cinderlog", "fathom-agent"]),
    role("lb", "edge", 24, 50, &[80, 443], &["mortise", "cinderlog"]),
    role("vpn", "edge", 6, 51, &[1194], &["osprey-vpn", "mortise"]),
    role("cdn", "edge", 70, 52, &[443], &["mortise", "pebble-image", "cinderlog"]),
    role("mail", "office", 10, 60, &[25, 993], &["brassmail", "mortise"]),
    role("desk", "office", 140, 61, &[], &["vellum", "pebble-image", "brassmail"]),
    role("spark", "analytics", 500, 70, &[7077], &["kestrel-runtime", "cinderlog"]),
    role("scan", "warehouse", 418, 80, &[], &["tallyq", "vellum"]),
];

/// Where hosts stand.
const SITES: &[&str] = &["fra", "ams", "dub", "waw"];

/// Which operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    Debian12,
    Ubuntu2404,
}

/// A host as it is when it comes.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) asset: AssetId,
    pub(crate) role: &'static Role,
    pub(crate) system: System,
    /// Which of a few images it was made from.
    pub(crate) image: u8,
    /// Its configuration was changed by hand: it is no host like the others of its role.
    pub(crate) changed_by_hand: bool,
    pub(crate) address: IpAddr,
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the estate of a seed is the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// Another stream for each purpose, so that one more draw does not disturb the others.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut draw = Self(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        draw.next();
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below a bound above 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound.max(1))).unwrap_or_default()
    }
}

/// The hosts of a demonstration.
#[derive(Debug, Clone)]
pub struct Estate {
    pub(crate) seed: u64,
    pub(crate) hosts: Vec<Host>,
}

impl Estate {
    /// How many hosts the demonstration has.
    pub const HOSTS: usize = 2_000;
    /// The seed of the demonstration that everybody sees.
    pub const SEED: u64 = 8_420;

    /// An estate of about so many hosts: each kind has its share, and at least the hosts that the story needs.
    pub fn new(seed: u64, hosts: usize) -> Self {
        let mut draw = Draw::new(seed, 1);
        let told = [HERO, DATA];
        let share = |role: &Role| match told.contains(&role.team) {
            // The story's own hosts stay: few enough, and it is told on them.
            true => role.count,
            false => (role.count * hosts / Self::HOSTS).max(1),
        };
        let of_role = |role: &'static Role| (0..share(role)).map(move |number| (role, number));
        let hosts = ROLES.iter().flat_map(of_role).map(|(role, number)| {
            let site = SITES[number % SITES.len()];
            let name = match role.prefix {
                // Databases come in pairs, which stand in for each other.
                "db" | "pay-db" => {
                    format!("{}-{:02}{}.demo.example", role.prefix, number / 2 + 1, ['a', 'b'][number % 2])
                }
                prefix => format!("{prefix}-{site}-{:03}.demo.example", number / SITES.len() + 1),
            };
            let asset = AssetId::of_public_key(format!("demo {seed} {name}").as_bytes());
            let [high, low] = u16::try_from(number + 10).unwrap_or(u16::MAX).to_be_bytes();
            Host {
                asset,
                role,
                system: if draw.below(5) == 0 { System::Ubuntu2404 } else { System::Debian12 },
                image: u8::try_from(draw.below(4)).unwrap_or_default(),
                changed_by_hand: draw.below(10) == 0,
                address: IpAddr::V4(Ipv4Addr::new(10, role.network, high, low)),
                name,
            }
        });
        Self { seed, hosts: hosts.collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::packages::invented;

    #[test]
    fn a_seed_gives_the_same_estate_and_every_name_is_of_one_host() {
        let estate = Estate::new(Estate::SEED, Estate::HOSTS);
        assert_eq!(estate.hosts.len(), 2_000);
        let names: BTreeSet<&str> = estate.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names.len(), estate.hosts.len());
        let again = Estate::new(Estate::SEED, Estate::HOSTS);
        assert_eq!(format!("{estate:?}"), format!("{again:?}"));
        assert_ne!(format!("{estate:?}"), format!("{:?}", Estate::new(1, Estate::HOSTS)));
    }

    #[test]
    fn the_story_has_hosts_of_every_sort_that_it_needs() {
        let estate = Estate::new(Estate::SEED, 200);
        let web: Vec<&Host> = estate.hosts.iter().filter(|host| host.role.prefix == "web").collect();
        assert!(web.iter().any(|host| host.changed_by_hand) && web.iter().any(|host| !host.changed_by_hand));
        for package in ROLES.iter().flat_map(|role| role.packages) {
            assert!(invented(package).is_some(), "{package}");
        }
    }
}
