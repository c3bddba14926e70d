//! Files: what is wrong, and where.

use tenon_model::{Role, Tempo};
use tenon_policy::{Approval, PRESETS, read};

fn problems(text: &str) -> Vec<String> {
    read(text).err().map(|found| found.listed().iter().map(ToString::to_string).collect()).unwrap_or_default()
}

#[test]
fn presets_read() {
    for preset in PRESETS {
        assert_eq!(problems(preset.text), Vec::<String>::new(), "{}", preset.name);
        assert!(!read(preset.text).unwrap().rules.is_empty(), "{} has rules", preset.name);
    }
}

#[test]
fn rules_read_as_they_are_written() {
    let text = "\
version: 1
windows:
  night: {zone: Europe/Berlin, from: '22:00', to: '04:00'}
rules:
  - name: routine
    when: vulnerability.kev
    approval: automatic
    tempo: fast
    windows: [night]
  - {name: two, when: directive.advisory, approval: {people: 2, role: approver}}
  - {name: never, approval: forbidden, why: not here}
";
    let policy = read(text).unwrap_or_else(|problems| panic!("{:?}", problems.listed()));
    let approvals: Vec<_> = policy.rules.iter().map(|rule| rule.approval).collect();
    let two = Approval::People { people: 2, role: Some(Role::Approver) };
    assert_eq!(approvals, [Approval::Automatic, two, Approval::Forbidden]);
    assert_eq!(
        (policy.rules[0].tempo, policy.rules[0].windows.as_slice()),
        (Some(Tempo::Fast), [0].as_slice())
    );
    assert_eq!(policy.windows[0].told(), "every day 22:00 to 04:00 (Europe/Berlin)");
    assert_eq!(policy.rules[2].why.as_deref(), Some("not here"));
}

#[test]
fn every_problem_has_its_line_and_column() {
    let text = "\
version: 1
windows:
  night: {zone: Europe/Berln, from: '22:00', to: '04:00'}
  short: {zone: UTC, from: '22:00', to: '22:20'}
freezes:
  back: {zone: UTC, from: 2026-12-27, until: 2026-12-24}
rules:
  - name: one
    when: vulnerability.kev && asset.enviroment == \"test\"
    approval: automatik
  - name: two
    when: \"directive.assets > 'x'\"
    aproval: automatic
  - name: three
    when: |
      vulnerability.kev &&
        rehearsal.removed == true
    approval: {people: 99}
  - name: four
    windows: [nigth]
    approval: automatic
  - name: five
    approval: forbidden
";
    assert_eq!(
        problems(text),
        [
            "line 3, column 17: \"Europe/Berln\" is no time zone; an IANA name like Europe/Berlin, or UTC",
            "line 4, column 10: 20 minutes: a window is at least 30 minutes long, in the last ten of which nothing begins",
            "line 6, column 9: a freeze that ends before it begins",
            "line 10, column 15: \"automatik\" is none of automatic, forbidden, or {people: 1, role: approver}",
            "line 9, column 32: there is no field `asset.enviroment`: did you mean `asset.environment`?",
            "line 13, column 5: \"aproval\" is not known here; did you mean approval?",
            "line 11, column 5: `approval` is missing",
            "line 12, column 31: `>` compares one kind, not int and string",
            "line 18, column 24: \"99\" is no number of people, from 1 to 10",
            "line 17, column 30: `==` compares one kind, not int and bool",
            "line 20, column 15: window \"nigth\" is not defined: define it, or correct the name",
            "line 22, column 5: no rule behind four is ever asked: it has no `when` and matches always",
        ]
    );
}

#[test]
fn what_is_no_policy_is_told_as_such() {
    assert_eq!(problems(""), ["line 1, column 1: a policy says which shape it has: `version: 1`"]);
    assert_eq!(problems("version: 2\n"), ["line 1, column 10: this program reads version 1 of the file"]);
    assert_eq!(
        problems("version: 1\nrule: []\n"),
        ["line 2, column 1: \"rule\" is not known here; did you mean rules?"]
    );
    assert_eq!(problems("version: 1\n").len(), 0, "without rules everything is as it is without a policy");
    let twice = "version: 1\nrules:\n  - {name: a, when: vulnerability.kev, approval: automatic}\n  - {name: a, approval: forbidden}\n";
    assert_eq!(problems(twice), ["line 4, column 5: there is a rule named a already"]);
    let large = format!("version: 1\n# {}", "x".repeat(300_000));
    assert_eq!(problems(&large).len(), 1);
}
