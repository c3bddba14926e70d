//! Who does a directive.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tenon_server::{AssigneeView, DirectiveView};

use crate::api::Api;
use crate::common::{Common, Format};
use crate::why::day;

/// Give a directive to somebody, take it, or give it back.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon assign dir_10 --to me        take it\n  tenon assign dir_10 --to alice     give it to alice\n  \
    tenon assign dir_10 --nobody       give it back\n  tenon queue --assignee me          what is yours\n  \
    tenon queue --assignee nobody      what nobody does yet\n\n\
    Whoever may discuss takes a directive and gives back what is theirs; to give it to others takes the role approver.\n\
    A name with which nobody signs in is taken as it is, and stays in the record."
)]
pub(crate) struct Assign {
    /// `dir_...`
    directive: String,
    #[command(flatten)]
    whom: Whom,
}

/// Who does it.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The name with which somebody signs in, `me`, or another name.
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// Nobody.
    #[arg(long)]
    nobody: bool,
}

impl Assign {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        let path = format!("/api/v1/directives/{}", self.directive);
        let answer: serde_json::Value =
            api.post(&format!("{path}/assign"), &json!({ "to": self.whom.to }))?;
        if common.format == Format::Json {
            println!("{answer}");
            return Ok(());
        }
        // Whom `me` means, the answer does not say.
        let directive: DirectiveView = api.get(&path)?;
        let said = match &directive.assignee {
            Some(assignee) => format!("{} is with {}", self.directive, assignee.person),
            None => format!("{} is with nobody", self.directive),
        };
        println!("{said} (entry {} of the record)", answer["seq"]);
        Ok(())
    }
}

/// Who does a directive, as a line of it tells.
pub(crate) fn told(assignee: &AssigneeView) -> String {
    let AssigneeView { person, by, since } = assignee;
    let how = match by {
        Some(by) if by == person => String::new(),
        Some(by) => format!(", given by {by}"),
        None => ", as of the older version's directive".to_owned(),
    };
    format!("{person} does it since {}{how}", day(since))
}

/// Who is waited for, behind what is waited for.
pub(crate) fn waited_for(owner: Option<&AssigneeView>) -> String {
    owner.map(|owner| format!(" (with {} since {})", owner.person, day(&owner.since))).unwrap_or_default()
}
