//! How an expression is read: by descent, each part with its type.

use super::part::{Kind, Part, fit};
use super::{ExpressionError, MAX_DEPTH, Node, Test};
use crate::fields::{Field, Type, nearest};
use crate::token::Token;

pub(super) struct Reader {
    pub(super) tokens: Vec<(usize, Token)>,
    pub(super) next: usize,
    /// Where the text ends.
    pub(super) end: usize,
    pub(super) depth: usize,
}

impl Reader {
    pub(super) fn peek(&self) -> Option<(usize, &Token)> {
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
    pub(super) fn choice(&mut self) -> Result<Part, ExpressionError> {
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
