//! Expressions: the part of CEL (Common Expression Language) that decides over fields, checked when it is read.
//!
//! ```text
//! text --tokens--> parse, with the type of every part --> Node      a wrong name, word or type is an error with its place
//! Node + Facts --> true, false, or not known: before a rehearsal, or where the facts lack a field
//! ```
//!
//! Of CEL there are `&& || ! == != < <= > >= in ?:`, lists, texts, whole numbers, `size`, `startsWith`, `endsWith` and
//! `contains`. What is read means what CEL means by it; nothing of it can fail when it is asked.

use crate::fields::{Facts, Field, Type, Value};
use crate::token::tokens;

mod part;
mod reader;

use part::Kind;
use reader::Reader;

/// Longest expression, in bytes.
pub const MAX_EXPRESSION: usize = 2_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 32;

/// What is wrong with an expression, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    /// The byte at which it is wrong, from 0.
    pub at: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl ExpressionError {
    pub(crate) fn new(at: usize, reason: impl Into<String>) -> Self {
        Self { at, reason: reason.into() }
    }
}

/// A condition over fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: String,
    root: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Below,
    AtMost,
    Above,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    StartsWith,
    EndsWith,
    Contains,
}

/// A part whose type is known to fit.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Node>),
    Field(Field),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Choose(Box<[Node; 3]>),
    Equal(Box<Node>, Box<Node>),
    Compare(Order, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    Test(Test, Box<Node>, Box<Node>),
    Size(Box<Node>),
}

impl Eq for Node {}

impl Expression {
    /// Reads and checks an expression.
    ///
    /// # Errors
    /// [`ExpressionError`]: not of this language, a field that there is not, or parts that do not fit together.
    pub fn read(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > MAX_EXPRESSION {
            let reason = format!("{} bytes, more than the {MAX_EXPRESSION} accepted", text.len());
            return Err(ExpressionError::new(0, reason));
        }
        let mut reader = Reader { tokens: tokens(text)?, next: 0, end: text.len(), depth: 0 };
        let part = reader.choice()?;
        if let Some((at, token)) = reader.peek() {
            return Err(ExpressionError::new(
                at,
                format!("{} does not continue the expression", token.told()),
            ));
        }
        if part.of != Kind::Of(Type::Bool) {
            let reason = format!("a condition is true or false, and this is {}", part.of);
            return Err(ExpressionError::new(part.at, reason));
        }
        Ok(Self { text: text.to_owned(), root: part.node })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks about a field.
    pub fn asks(&self, field: &str) -> bool {
        asks(&self.root, field)
    }

    /// Whether it holds; `None` where that depends on a rehearsal that has not passed yet, or on a field that is not known.
    pub fn holds(&self, facts: &Facts<'_>) -> Option<bool> {
        truth(&self.root, facts)
    }
}

fn asks(node: &Node, name: &str) -> bool {
    match node {
        Node::Bool(_) | Node::Int(_) | Node::Text(_) => false,
        Node::Field(field) => field.name == name,
        Node::List(items) => items.iter().any(|item| asks(item, name)),
        Node::Not(of) | Node::Size(of) => asks(of, name),
        Node::Choose(of) => of.iter().any(|of| asks(of, name)),
        Node::And(left, right)
        | Node::Or(left, right)
        | Node::Equal(left, right)
        | Node::Compare(_, left, right)
        | Node::In(left, right)
        | Node::Test(_, left, right) => asks(left, name) || asks(right, name),
    }
}

/// The truth of a part. What is not known decides nothing: `true || x` is true whatever `x` is, as CEL has it for errors.
fn truth(node: &Node, facts: &Facts<'_>) -> Option<bool> {
    match node {
        Node::Bool(value) => Some(*value),
        Node::Not(of) => truth(of, facts).map(|value| !value),
        Node::And(left, right) => match (truth(left, facts), truth(right, facts)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Node::Or(left, right) => match (truth(left, facts), truth(right, facts)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Node::Choose(of) => {
            let [asked, one, other] = of.as_ref();
            truth(if truth(asked, facts)? { one } else { other }, facts)
        }
        Node::Equal(left, right) => Some(value(left, facts)? == value(right, facts)?),
        Node::Compare(order, left, right) => {
            let (left, right) = (value(left, facts)?, value(right, facts)?);
            let found = match (left, right) {
                (Value::Int(left), Value::Int(right)) => left.cmp(&right),
                (Value::Text(left), Value::Text(right)) => left.cmp(right),
                _ => return None,
            };
            Some(match order {
                Order::Below => found.is_lt(),
                Order::AtMost => found.is_le(),
                Order::Above => found.is_gt(),
                Order::AtLeast => found.is_ge(),
            })
        }
        Node::In(item, list) => contains(item, list, facts),
        Node::Test(test, of, with) => match (value(of, facts)?, value(with, facts)?) {
            (Value::Text(of), Value::Text(with)) => Some(match test {
                Test::StartsWith => of.starts_with(with),
                Test::EndsWith => of.ends_with(with),
                Test::Contains => of.contains(with),
            }),
            _ => None,
        },
        Node::Field(_) => match value(node, facts)? {
            Value::Bool(value) => Some(value),
            _ => None,
        },
        Node::Int(_) | Node::Text(_) | Node::List(_) | Node::Size(_) => None,
    }
}

fn contains(item: &Node, list: &Node, facts: &Facts<'_>) -> Option<bool> {
    let item = value(item, facts)?;
    if let Node::List(items) = list {
        let mut unknown = false;
        for one in items {
            match value(one, facts) {
                Some(one) if one == item => return Some(true),
                Some(_) => {}
                None => unknown = true,
            }
        }
        return (!unknown).then_some(false);
    }
    match (item, value(list, facts)?) {
        (Value::Text(item), Value::Texts(list)) => Some(list.iter().any(|one| one == item)),
        _ => None,
    }
}

fn value<'f>(node: &'f Node, facts: &Facts<'f>) -> Option<Value<'f>> {
    match node {
        Node::Int(number) => Some(Value::Int(*number)),
        Node::Text(text) => Some(Value::Text(text)),
        Node::Field(field) => field.value(facts),
        Node::Choose(of) => {
            let [asked, one, other] = of.as_ref();
            value(if truth(asked, facts)? { one } else { other }, facts)
        }
        Node::Size(of) => {
            let size = match (of.as_ref(), value(of, facts)) {
                (Node::List(items), _) => items.len(),
                (_, Some(Value::Texts(texts))) => texts.len(),
                (_, Some(Value::Text(text))) => text.chars().count(),
                _ => return None,
            };
            i64::try_from(size).ok().map(Value::Int)
        }
        Node::List(_) => None,
        _ => truth(node, facts).map(Value::Bool),
    }
}
