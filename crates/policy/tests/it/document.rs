//! The example of the documentation is a policy.

use tenon_policy::read;

#[test]
fn the_example_of_the_documentation_reads() {
    let text = include_str!("../../../../docs/policy.md");
    let example = text.split("```yaml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let policy = read(example).unwrap_or_else(|problems| panic!("{:?}", problems.listed()));
    assert!(policy.rules.len() >= 3 && policy.windows.len() == 1 && policy.freezes.len() == 1);
}
