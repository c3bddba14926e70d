//! What people state about an asset, and which published rules count.

use std::fmt::Display;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tenon_model::{
    AssetContext, ClockRule, DecisionTable, GroupName, HumanImpact, MissionAndWellBeing, Rules,
    SystemExposure, Vdr, VdrClass, VdrPain,
};

use crate::api::Api;
use crate::common::{Common, Format};

/// Largest context file that is read, in bytes.
const MAX_CONTEXT: u64 = 64 << 10;

/// The value that a person names; blanks may be typed as hyphens.
fn named<T: Copy + Display>(text: &str, all: &[T]) -> Result<T, String> {
    let spelt = |value: &T| value.to_string().replace(' ', "-");
    all.iter().copied().find(|value| spelt(value) == text.replace(' ', "-")).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(spelt).collect();
        format!("one of {}", known.join(", "))
    })
}

fn exposure(text: &str) -> Result<SystemExposure, String> {
    named(text, SystemExposure::ALL)
}

fn human_impact(text: &str) -> Result<HumanImpact, String> {
    named(text, HumanImpact::ALL)
}

fn mission(text: &str) -> Result<MissionAndWellBeing, String> {
    named(text, MissionAndWellBeing::ALL)
}

fn table(text: &str) -> Result<DecisionTable, String> {
    named(text, DecisionTable::ALL)
}

fn vdr_class(text: &str) -> Result<VdrClass, String> {
    named(text, VdrClass::ALL)
}

fn vdr_pain(text: &str) -> Result<VdrPain, String> {
    named(text, VdrPain::ALL)
}

fn pain_of_group(text: &str) -> Result<(GroupName, VdrPain), String> {
    let (group, pain) = text.split_once('=').ok_or("as in web=4")?;
    Ok((group.parse().map_err(|error| format!("{error}"))?, vdr_pain(pain)?))
}

fn clock(text: &str) -> Result<ClockRule, String> {
    named(text, ClockRule::ALL)
}

/// What is stated about an asset. What is not stated is assumed, and shown as an assumption.
#[derive(Args)]
#[command(next_help_heading = "What is stated about it")]
pub(crate) struct Stated {
    /// Who can reach it: small, controlled or open (SSVC System Exposure; open is BOD 26-04's publicly exposed).
    #[arg(long, value_name = "EXPOSURE", value_parser = exposure)]
    exposure: Option<SystemExposure>,
    /// What its failure would do: low, medium, high or very-high (SSVC Human Impact).
    #[arg(long, value_name = "IMPACT", value_parser = human_impact)]
    human_impact: Option<HumanImpact>,
    /// How far essential functions depend on it: low, medium or high (CISA Mission and Well-Being).
    #[arg(long, value_name = "IMPACT", value_parser = mission)]
    mission: Option<MissionAndWellBeing>,
}

impl Stated {
    /// What the flags say; where they say nothing, what the file says.
    pub(crate) fn with_file(&self, file: Option<&Path>) -> Result<AssetContext> {
        let written = file.map(read).transpose()?.unwrap_or_default();
        Ok(AssetContext {
            exposure: self.exposure.or(written.exposure),
            human_impact: self.human_impact.or(written.human_impact),
            mission: self.mission.or(written.mission),
        })
    }
}

fn read(path: &Path) -> Result<AssetContext> {
    let shown = || path.display().to_string();
    let length = std::fs::metadata(path).with_context(shown)?.len();
    if length > MAX_CONTEXT {
        bail!("{}: {length} bytes; a context has at most {MAX_CONTEXT}", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(shown)?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{}: it wants JSON like {{\"exposure\": \"open\", \"human_impact\": \"very high\"}}",
            path.display()
        )
    })
}

/// Published rules.
#[derive(Args)]
#[command(next_help_heading = "Which rules count")]
pub(crate) struct Chosen {
    /// The table that decides: bod-26-04, ssvc-deployer or cisa-coordinator.
    #[arg(long, value_name = "TABLE", value_parser = table, default_value = "bod-26-04")]
    table: DecisionTable,
    /// The rules that set due dates, of which the earliest counts: bod-26-04, fedramp-rev5, fedramp-vdr, pci-dss-4.0.1,
    /// pci-dss-4.0, and the revoked bod-22-01 and bod-19-02.
    #[arg(long = "clock", value_name = "RULE,...", value_parser = clock, value_delimiter = ',', default_value = "bod-26-04")]
    clocks: Vec<ClockRule>,
    #[command(flatten)]
    vdr: ChosenVdr,
}

impl Chosen {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            table: self.table,
            clocks: self.clocks.iter().copied().collect(),
            vdr: self.vdr.read(),
            regulations: Vec::new(),
        }
    }
}

/// What the clock fedramp-vdr counts by.
#[derive(Args)]
struct ChosenVdr {
    /// Certification class of the cloud service, for the clock fedramp-vdr: A, B, C or D.
    #[arg(long, value_name = "CLASS", value_parser = vdr_class, requires = "vdr_pain")]
    vdr_class: Option<VdrClass>,
    /// PAIN of what is found, for the clock fedramp-vdr: 1 to 5, 5 the worst; 1 has no time frame.
    #[arg(long, value_name = "PAIN", value_parser = vdr_pain, requires = "vdr_class")]
    vdr_pain: Option<VdrPain>,
    /// PAIN of what is found on assets of these groups instead.
    #[arg(long, value_name = "GROUP=PAIN,...", value_parser = pain_of_group, value_delimiter = ',', requires = "vdr_class")]
    vdr_pain_of: Vec<(GroupName, VdrPain)>,
}

impl ChosenVdr {
    fn read(&self) -> Option<Vdr> {
        let groups = self.vdr_pain_of.iter().cloned().collect();
        Some(Vdr { class: self.vdr_class?, pain: self.vdr_pain?, groups })
    }
}

/// Choose the published rules that count, on every asset.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon rules --table ssvc-deployer --clock bod-26-04,pci-dss-4.0.1\n  \
    tenon rules --table bod-26-04 --clock fedramp-vdr --vdr-class C --vdr-pain 3 --vdr-pain-of web=5,lab=1\n\n\
    All replace what was chosen before. Regulations that were adopted (`tenon regulation`) count besides.")]
pub(crate) struct Choose {
    /// The table that decides: bod-26-04, ssvc-deployer or cisa-coordinator.
    #[arg(long, value_name = "TABLE", value_parser = table)]
    table: DecisionTable,
    /// The rules that set due dates, of which the earliest counts; see `tenon scan --help`.
    #[arg(long = "clock", value_name = "RULE,...", value_parser = clock, value_delimiter = ',', required = true)]
    clocks: Vec<ClockRule>,
    #[command(flatten)]
    vdr: ChosenVdr,
}

pub(crate) fn say(common: &Common, answer: &Value, said: &str) {
    match common.format {
        Format::Json => println!("{answer}"),
        Format::Text => println!("{said}"),
    }
}

impl Choose {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let body = json!(Rules {
            table: self.table,
            clocks: self.clocks.iter().copied().collect(),
            vdr: self.vdr.read(),
            regulations: Vec::new(),
        });
        let answer: Value = Api::new(common)?.post("/api/v1/rules", &body)?;
        say(common, &answer, "these rules count; every directive is ranked anew");
        Ok(())
    }
}
