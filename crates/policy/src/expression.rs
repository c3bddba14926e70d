//! Expressions: the part of CEL (Common Expression Language) that decides over fields, checked when it is read.
//!
//! ```text
//! text --tokens--> parse, with the type of every part --> Node      a wrong name, word or type is an error with its place
//! Node + Facts --> true, false, or not known before a rehearsal
//! ```
//!
//! Of CEL there are `&& || ! == != < <= > >= in ?:`, lists, texts, whole numbers, `size`, `startsWith`, `endsWith` and
//! `contains`. What is read means what CEL means by it; nothing of it can fail when it is asked.

use crate::fields::{Facts, Field, Type, Value, nearest};
use crate::token::{Token, tokens};

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

/// A part with its type and where it begins.
struct Part {
    at: usize,
    of: Kind,
    node: Node,
}

/// What a part is: a type, or a list of literals, which only `in` and `size` take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Of(Type),
    Ints,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(of) => of.fmt(f),
            Self::Ints => f.write_str("list of ints"),
        }
    }
}

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

    /// Whether it holds; `None` where that depends on a rehearsal that has not passed yet.
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

struct Reader {
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// Where the text ends.
    end: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<(usize, &Token)> {
        self.tokens.get(self.next).map(|(at, token)| (*at, token))
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |(at, _)| at)
    }

    /// Takes the next token where it is this mark.
    fn take(&mut self, mark: &'static str) -> bool {
        let found = self.peek().is_some_and(|(_, token)| *token == Token::Mark(mark));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &'static str) -> Result<(), ExpressionError> {
        if self.take(mark) {
            return Ok(());
        }
        let found = self.peek().map_or("the end".to_owned(), |(_, token)| token.told());
        Err(ExpressionError::new(self.at(), format!("`{mark}` is expected here, not {found}")))
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ExpressionError>,
    ) -> Result<T, ExpressionError> {
        if self.depth >= MAX_DEPTH {
            return Err(ExpressionError::new(self.at(), format!("nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// `or ? or : choice`.
    fn choice(&mut self) -> Result<Part, ExpressionError> {
        self.deeper(|reader| {
            let asked = reader.or()?;
            if !reader.take("?") {
                return Ok(asked);
            }
            let (one, _) = (reader.or()?, reader.expect(":")?);
            let other = reader.choice()?;
            let asked = asked.bool("what `?` asks")?;
            if !fit(one.of, other.of) {
                let reason = format!("both sides of `:` are of one kind, not {} and {}", one.of, other.of);
                return Err(ExpressionError::new(other.at, reason));
            }
            // Words that differ are texts to whoever compares them.
            let of = match (one.of, other.of) {
                (left, right) if left == right => left,
                (Kind::Of(Type::Word(_) | Type::Text), _) => Kind::Of(Type::Text),
                (left, _) => left,
            };
            Ok(Part { at: asked.at, of, node: Node::Choose(Box::new([asked.node, one.node, other.node])) })
        })
    }

    fn or(&mut self) -> Result<Part, ExpressionError> {
        let first = self.and()?;
        self.chain("||", first, Self::and, |left, right| Node::Or(Box::new(left), Box::new(right)))
    }

    fn and(&mut self) -> Result<Part, ExpressionError> {
        let first = self.relation()?;
        self.chain("&&", first, Self::relation, |left, right| Node::And(Box::new(left), Box::new(right)))
    }

    /// `first mark next mark next ...`, bound to the right: the depth is that of the longest chain, and bounded too.
    fn chain(
        &mut self,
        mark: &'static str,
        first: Part,
        read: fn(&mut Self) -> Result<Part, ExpressionError>,
        join: fn(Node, Node) -> Node,
    ) -> Result<Part, ExpressionError> {
        let at = first.at;
        let mut parts = vec![first];
        while self.take(mark) {
            parts.push(read(self)?);
        }
        if parts.len() == 1 {
            return parts.pop().ok_or_else(|| ExpressionError::new(at, "nothing is said"));
        }
        let mut nodes = Vec::new();
        for part in parts {
            nodes.push(part.bool(&format!("what `{mark}` joins"))?.node);
        }
        Ok(Part { at, of: Kind::Of(Type::Bool), node: halves(nodes, join) })
    }

    fn relation(&mut self) -> Result<Part, ExpressionError> {
        let left = self.unary()?;
        let Some((_, token)) = self.peek() else { return Ok(left) };
        let made = match token {
            Token::Name(name) if name == "in" => {
                self.next += 1;
                let right = self.unary()?;
                left.within(right)?
            }
            Token::Mark(mark @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => {
                let mark = *mark;
                self.next += 1;
                let right = self.unary()?;
                left.compared(mark, right)?
            }
            _ => return Ok(left),
        };
        if let Some((at, Token::Mark(mark @ ("==" | "!=" | "<" | "<=" | ">" | ">=")))) = self.peek() {
            let reason = format!("a second comparison: write brackets around the one before `{mark}`");
            return Err(ExpressionError::new(at, reason));
        }
        Ok(made)
    }

    fn unary(&mut self) -> Result<Part, ExpressionError> {
        let at = self.at();
        if self.take("!") {
            let part = self.deeper(Self::unary)?.bool("what `!` turns round")?;
            return Ok(Part { at, of: Kind::Of(Type::Bool), node: Node::Not(Box::new(part.node)) });
        }
        if self.take("-") {
            if let Some((_, Token::Int(number))) = self.peek() {
                let number = -number;
                self.next += 1;
                return Ok(Part { at, of: Kind::Of(Type::Int), node: Node::Int(number) });
            }
            return Err(ExpressionError::new(
                at,
                "a number is expected behind `-`: nothing is reckoned here",
            ));
        }
        let mut part = self.primary()?;
        while self.take(".") {
            part = self.method(part)?;
        }
        Ok(part)
    }

    fn primary(&mut self) -> Result<Part, ExpressionError> {
        let at = self.at();
        let Some((_, token)) = self.peek() else {
            return Err(ExpressionError::new(at, "the expression ends where something is still to come"));
        };
        let token = token.clone();
        self.next += 1;
        let (of, node) = match token {
            Token::Int(number) => (Kind::Of(Type::Int), Node::Int(number)),
            Token::Text(text) => (Kind::Of(Type::Text), Node::Text(text)),
            Token::Mark("(") => {
                let part = self.choice()?;
                self.expect(")")?;
                return Ok(Part { at, ..part });
            }
            Token::Mark("[") => return self.list(at),
            Token::Name(name) => match name.as_str() {
                "true" => (Kind::Of(Type::Bool), Node::Bool(true)),
                "false" => (Kind::Of(Type::Bool), Node::Bool(false)),
                "size" if self.take("(") => {
                    let part = self.choice()?;
                    self.expect(")")?;
                    return part.size(at);
                }
                _ => return self.field(at, name),
            },
            token @ Token::Mark(_) => {
                return Err(ExpressionError::new(at, format!("{} where a value is expected", token.told())));
            }
        };
        Ok(Part { at, of, node })
    }

    /// A field: names with points between them, as far as they are one.
    fn field(&mut self, at: usize, first: String) -> Result<Part, ExpressionError> {
        let mut name = first;
        loop {
            if let Some(field) = Field::find(&name) {
                return Ok(Part { at, of: Kind::Of(field.of), node: Node::Field(field) });
            }
            let dot = self.peek().is_some_and(|(_, token)| *token == Token::Mark("."));
            match self.tokens.get(self.next + 1) {
                Some((_, Token::Name(next))) if dot => {
                    name = format!("{name}.{next}");
                    self.next += 2;
                }
                _ => break,
            }
        }
        if self.peek().is_some_and(|(_, token)| *token == Token::Mark("(")) {
            let reason =
                format!("there is no function `{name}`; there are size, startsWith, endsWith and contains");
            return Err(ExpressionError::new(at, reason));
        }
        let near = Field::near(&name).map(|near| format!(": did you mean `{near}`?"));
        let near = near.unwrap_or_else(|| "; `docs/policy.md` lists them".to_owned());
        Err(ExpressionError::new(at, format!("there is no field `{name}`{near}")))
    }

    fn list(&mut self, at: usize) -> Result<Part, ExpressionError> {
        self.deeper(|reader| {
            let mut items: Vec<Part> = Vec::new();
            while !reader.take("]") {
                if !items.is_empty() {
                    reader.expect(",")?;
                }
                let item = reader.choice()?;
                if !matches!(item.of, Kind::Of(Type::Text | Type::Word(_) | Type::Int)) {
                    return Err(ExpressionError::new(
                        item.at,
                        format!("a list holds texts or numbers, not {}", item.of),
                    ));
                }
                if let Some(first) = items.first().filter(|first| !fit(first.of, item.of)) {
                    let reason = format!("a list holds one kind, not {} and {}", first.of, item.of);
                    return Err(ExpressionError::new(item.at, reason));
                }
                items.push(item);
            }
            let ints = items.first().is_some_and(|first| first.of == Kind::Of(Type::Int));
            let of = if ints { Kind::Ints } else { Kind::Of(Type::Texts) };
            Ok(Part { at, of, node: Node::List(items.into_iter().map(|item| item.node).collect()) })
        })
    }

    /// `part.name(argument)`.
    fn method(&mut self, part: Part) -> Result<Part, ExpressionError> {
        let at = self.at();
        let name = match self.peek() {
            Some((_, Token::Name(name))) => name.clone(),
            _ => return Err(ExpressionError::new(at, "a name is expected behind `.`")),
        };
        self.next += 1;
        let test = match name.as_str() {
            "startsWith" => Test::StartsWith,
            "endsWith" => Test::EndsWith,
            "contains" => Test::Contains,
            "size" => {
                self.expect("(")?;
                self.expect(")")?;
                let at = part.at;
                return part.size(at);
            }
            _ => {
                let words = ["startsWith", "endsWith", "contains", "size"];
                let near = nearest(&name, words.into_iter()).map(|near| format!(": did you mean `{near}`?"));
                let near =
                    near.unwrap_or_else(|| "; there are startsWith, endsWith, contains and size".to_owned());
                return Err(ExpressionError::new(at, format!("`{name}` is not known of {}{near}", part.of)));
            }
        };
        self.expect("(")?;
        let with = self.choice()?;
        self.expect(")")?;
        for side in [&part, &with] {
            if !matches!(side.of, Kind::Of(Type::Text | Type::Word(_))) {
                let remedy = if side.of == Kind::Of(Type::Texts) {
                    ": whether a list holds it is asked with `in`"
                } else {
                    ""
                };
                let reason = format!("`{name}` is asked of texts, and this is {}{remedy}", side.of);
                return Err(ExpressionError::new(side.at, reason));
            }
        }
        let node = Node::Test(test, Box::new(part.node), Box::new(with.node));
        Ok(Part { at: part.at, of: Kind::Of(Type::Bool), node })
    }
}

/// Joins nodes as a tree of small depth.
fn halves(mut nodes: Vec<Node>, join: fn(Node, Node) -> Node) -> Node {
    let behind = nodes.split_off(nodes.len().div_ceil(2));
    match (nodes.pop(), behind.is_empty()) {
        (Some(one), true) => one,
        (last, _) => {
            nodes.extend(last);
            join(halves(nodes, join), halves(behind, join))
        }
    }
}

/// Whether two kinds compare.
fn fit(left: Kind, right: Kind) -> bool {
    match (left, right) {
        (Kind::Of(Type::Text | Type::Word(_)), Kind::Of(Type::Text | Type::Word(_))) => true,
        (left, right) => left == right,
    }
}

impl Part {
    fn bool(self, what: &str) -> Result<Self, ExpressionError> {
        if self.of == Kind::Of(Type::Bool) {
            return Ok(self);
        }
        Err(ExpressionError::new(self.at, format!("{what} is true or false, and this is {}", self.of)))
    }

    /// A text that is held against one of a few words must be one of them.
    fn expect_word(&self, other: &Self) -> Result<(), ExpressionError> {
        let Kind::Of(Type::Word(words)) = self.of else { return Ok(()) };
        let texts: &[Node] = match &other.node {
            Node::List(items) => items,
            node => std::slice::from_ref(node),
        };
        let wrong = texts.iter().find_map(|node| match node {
            Node::Text(text) if !words.contains(&text.as_str()) => Some(text),
            _ => None,
        });
        let Some(wrong) = wrong else { return Ok(()) };
        let near = nearest(wrong, words.iter().copied()).map(|near| format!("; did you mean {near:?}?"));
        let reason = format!("{wrong:?} is never true here: {}{}", self.of, near.unwrap_or_default());
        Err(ExpressionError::new(other.at, reason))
    }

    fn compared(self, mark: &str, right: Self) -> Result<Self, ExpressionError> {
        let wrong = |reason: String| Err(ExpressionError::new(right.at, reason));
        if !fit(self.of, right.of) {
            return wrong(format!("`{mark}` compares one kind, not {} and {}", self.of, right.of));
        }
        let order = match mark {
            "<" => Some(Order::Below),
            "<=" => Some(Order::AtMost),
            ">" => Some(Order::Above),
            ">=" => Some(Order::AtLeast),
            _ => None,
        };
        let comparable = match order {
            // The order of words is that of their letters, which is never what is meant.
            Some(_) => {
                matches!(self.of, Kind::Of(Type::Int | Type::Text))
                    && matches!(right.of, Kind::Of(Type::Int | Type::Text))
            }
            None => matches!(self.of, Kind::Of(Type::Bool | Type::Int | Type::Text | Type::Word(_))),
        };
        if !comparable {
            return wrong(format!("`{mark}` does not compare {}", self.of));
        }
        self.expect_word(&right)?;
        right.expect_word(&self)?;
        let (at, left, right) = (self.at, Box::new(self.node), Box::new(right.node));
        let node = match order {
            Some(order) => Node::Compare(order, left, right),
            None if mark == "==" => Node::Equal(left, right),
            None => Node::Not(Box::new(Node::Equal(left, right))),
        };
        Ok(Self { at, of: Kind::Of(Type::Bool), node })
    }

    fn within(self, list: Self) -> Result<Self, ExpressionError> {
        let fits = match (self.of, list.of) {
            (Kind::Of(Type::Text | Type::Word(_)), Kind::Of(Type::Texts))
            | (Kind::Of(Type::Int), Kind::Ints) => true,
            // An empty list holds nothing, of whatever kind.
            (Kind::Of(Type::Int), Kind::Of(Type::Texts)) => {
                matches!(&list.node, Node::List(items) if items.is_empty())
            }
            _ => false,
        };
        if !fits {
            let reason = format!("`in` asks whether a list holds something: not {} in {}", self.of, list.of);
            return Err(ExpressionError::new(list.at, reason));
        }
        self.expect_word(&list)?;
        let node = Node::In(Box::new(self.node), Box::new(list.node));
        Ok(Self { at: self.at, of: Kind::Of(Type::Bool), node })
    }

    fn size(self, at: usize) -> Result<Self, ExpressionError> {
        if !matches!(self.of, Kind::Of(Type::Text | Type::Word(_) | Type::Texts) | Kind::Ints) {
            return Err(ExpressionError::new(
                self.at,
                format!("`size` is asked of texts and lists, not of {}", self.of),
            ));
        }
        Ok(Self { at, of: Kind::Of(Type::Int), node: Node::Size(Box::new(self.node)) })
    }
}
