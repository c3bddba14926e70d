//! What this crate reads of CEL means what another implementation means by it.

use cel::{Context, Program, Value};
use proptest::prelude::*;
use tenon_policy::{Expression, Facts, Field, Type};

use crate::expressions::{TRUE, asset, directive, rehearsal};

/// The same facts for the other implementation: maps of maps.
fn context() -> Context<'static, 'static> {
    let (directive, asset, rehearsal) = (directive(), asset(), rehearsal());
    let map = |entries: Vec<(&str, Value)>| -> Value {
        entries.into_iter().collect::<std::collections::HashMap<_, _>>().into()
    };
    let mut context = Context::default();
    let text = |text: &str| -> Value { text.to_owned().into() };
    context.add_variable_from_value(
        "vulnerability",
        map(vec![
            ("kev", directive.kev.into()),
            ("ransomware", directive.ransomware.into()),
            ("exploitation", text(directive.exploitation)),
            ("epss_percent", directive.epss_percent.into()),
            ("foreseen_ppm", directive.foreseen_ppm.into()),
            ("ids", directive.vulnerabilities.clone().into()),
        ]),
    );
    context.add_variable_from_value(
        "decision",
        map(vec![
            ("table", text(&directive.table)),
            ("row", directive.row.into()),
            ("outcome", text(&directive.outcome)),
            ("forensics", directive.forensics.into()),
        ]),
    );
    context.add_variable_from_value(
        "directive",
        map(vec![
            ("package", text(&directive.package)),
            ("version", text(&directive.version)),
            ("group", text(&directive.group)),
            ("assets", directive.assets.into()),
            ("advisory", directive.advisory.into()),
        ]),
    );
    context.add_variable_from_value(
        "asset",
        map(vec![
            ("name", text(&asset.name)),
            ("environment", text(asset.environment)),
            ("criticality", text(asset.criticality)),
            ("exposure", text(asset.exposure)),
            ("team", text(&asset.team)),
            ("zone", text(&asset.zone)),
            ("redundancy", text(&asset.redundancy)),
            ("services", asset.services.clone().into()),
            ("tags", asset.tags.clone().into()),
            ("attacked", asset.attacked.into()),
            ("reach_ppm", asset.reach_ppm.into()),
        ]),
    );
    context.add_variable_from_value(
        "rehearsal",
        map(vec![
            ("removed", rehearsal.removed.into()),
            ("installed", rehearsal.installed.into()),
            ("upgraded", rehearsal.upgraded.into()),
            ("restarts", rehearsal.restarts.into()),
            ("reboot", rehearsal.reboot.into()),
            ("undo", text(rehearsal.undo)),
            ("conflicts", rehearsal.conflicts.into()),
            ("seconds", rehearsal.seconds.into()),
        ]),
    );
    context
}

fn ours(text: &str) -> bool {
    let (directive, asset, rehearsal) = (directive(), asset(), rehearsal());
    let facts = Facts { directive: &directive, asset: &asset, rehearsal: Some(&rehearsal), unknown: &[] };
    let expression = Expression::read(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    expression.holds(&facts).unwrap_or_else(|| panic!("{text} is not known"))
}

fn theirs(text: &str) -> Value {
    let program = Program::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    program.execute(&context()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_examples_mean_the_same() {
    for text in TRUE {
        assert_eq!(theirs(text), Value::from(true), "{text}");
    }
}

/// A field of this type, or a literal.
fn of(of: fn(&Type) -> bool, literals: &'static [&'static str]) -> impl Strategy<Value = String> {
    let fields: Vec<&str> = Field::ALL.iter().filter(|field| of(&field.of)).map(|field| field.name).collect();
    let fields = fields.into_iter().chain(literals.iter().copied()).map(str::to_owned).collect::<Vec<_>>();
    prop::sample::select(fields)
}

fn condition() -> impl Strategy<Value = String> {
    let number = || of(|of| *of == Type::Int, &["-1", "0", "2", "12", "42"]);
    let text = || of(|of| *of == Type::Text, &[r#""web""#, "'3 days'", r#""""#, r#""u3""#]);
    let list = || of(|of| *of == Type::Texts, &[r#"["web", "pci"]"#, "[]"]);
    let order = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let test = prop::sample::select(vec!["startsWith", "endsWith", "contains"]);
    let leaf = prop_oneof![
        of(|of| *of == Type::Bool, &["true", "false"]),
        (number(), order(), number()).prop_map(|(left, mark, right)| format!("{left} {mark} {right}")),
        (text(), order(), text()).prop_map(|(left, mark, right)| format!("{left} {mark} {right}")),
        (text(), test, text()).prop_map(|(of, test, with)| format!("{of}.{test}({with})")),
        (text(), list()).prop_map(|(item, list)| format!("{item} in {list}")),
        (list(), order(), number()).prop_map(|(list, mark, number)| format!("size({list}) {mark} {number}")),
        (number(), number(), number()).prop_map(|(item, one, other)| format!("{item} in [{one}, {other}]")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            // Without brackets: the order in which operators bind is compared as well.
            (inner.clone(), prop::sample::select(vec!["&&", "||"]), inner.clone())
                .prop_map(|(left, mark, right)| format!("{left} {mark} {right}")),
            inner.clone().prop_map(|of| format!("!({of})")),
            inner.clone().prop_map(|of| format!("({of})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(asked, one, other)| format!("({asked}) ? ({one}) : ({other})")),
        ]
    })
    // A choice binds more loosely than what it may stand beside: in brackets it is whole.
    .prop_map(|text| format!("({text})"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_conditions_mean_the_same(text in condition()) {
        prop_assume!(text.len() <= tenon_policy::MAX_EXPRESSION);
        prop_assert_eq!(theirs(&text), Value::from(ours(&text)), "{}", text);
    }
}
