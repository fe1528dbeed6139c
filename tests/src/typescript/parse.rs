//! Types by name, from TypeScript files: as much of the language as types of JSON are written in.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::shape::{Field, Shape};
use super::token::{Token, tokens};

/// The types of some files.
#[derive(Debug)]
pub struct Types {
    tokens: Vec<Token>,
}

impl Types {
    /// The types of the npm package that have to do with the module.
    pub fn of_package() -> Self {
        Self::of(&[
            include_str!("../../../web/package/src/wire.ts"),
            include_str!("../../../web/package/src/types.ts"),
            include_str!("../../../web/package/src/errors.ts"),
        ])
    }

    /// The types of files, given their contents.
    pub fn of(sources: &[&str]) -> Self {
        Self { tokens: sources.iter().flat_map(|source| tokens(source)).collect() }
    }

    /// The type of a name.
    ///
    /// # Panics
    /// There is none, or it is written in what this does not read.
    pub fn shape(&self, name: &str) -> Shape {
        self.named(name).unwrap_or_else(|| panic!("the TypeScript files have no type {name}"))
    }

    fn named(&self, name: &str) -> Option<Shape> {
        let is = |i: usize, word: &str| self.tokens.get(i) == Some(&Token::Word(word.to_owned()));
        let defines = |i: &usize| {
            is(*i + 1, name)
                && (is(*i, "interface")
                    || is(*i, "type") && self.tokens.get(i + 2) == Some(&Token::Sign('=')))
        };
        let at = (0..self.tokens.len()).find(defines)?;
        let mut cursor = Cursor { types: self, at: at + 2 };
        if is(at, "interface") {
            return Some(cursor.interface());
        }
        cursor.expect('=');
        Some(cursor.one_of())
    }
}

/// A place in the files.
struct Cursor<'a> {
    types: &'a Types,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<&Token> {
        self.types.tokens.get(self.at)
    }

    fn takes(&mut self, sign: char) -> bool {
        let is_there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is_there);
        is_there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_there = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, sign: char) {
        assert!(self.takes(sign), "{sign} was expected in TypeScript, and not {:?}", self.peek());
    }

    fn next(&mut self) -> Token {
        let token = self.peek().expect("TypeScript that does not end within a type").clone();
        self.at += 1;
        token
    }

    /// What follows an interface's name.
    fn interface(&mut self) -> Shape {
        let mut shapes = Vec::new();
        if self.takes_word("extends") {
            shapes.push(self.primary());
            while self.takes(',') {
                shapes.push(self.primary());
            }
        }
        shapes.push(self.primary());
        together(shapes)
    }

    fn one_of(&mut self) -> Shape {
        let mut shapes = Vec::new();
        self.takes('|');
        loop {
            shapes.push(self.all_of());
            if !self.takes('|') {
                return if shapes.len() == 1 { shapes.remove(0) } else { Shape::OneOf(shapes) };
            }
        }
    }

    fn all_of(&mut self) -> Shape {
        let mut shapes = vec![self.list()];
        while self.takes('&') {
            shapes.push(self.list());
        }
        together(shapes)
    }

    /// A type, and what in brackets follows it: `T[]`, `T['field']`.
    fn list(&mut self) -> Shape {
        self.takes_word("readonly");
        let mut shape = self.primary();
        while self.takes('[') {
            if self.takes(']') {
                shape = Shape::List(Box::new(shape));
                continue;
            }
            let names = self.one_of();
            shape = field_of(shape, &words(&names)[0]);
            self.expect(']');
        }
        shape
    }

    fn primary(&mut self) -> Shape {
        match self.next() {
            Token::Sign('{') => Shape::Fields(self.fields()),
            Token::Sign('[') => self.tuple(),
            Token::Sign('(') => self.function(),
            Token::Text(text) => Shape::Literal(Value::String(text)),
            Token::Word(word) => self.word(word),
            Token::Sign(sign) => panic!("no type begins with {sign}"),
        }
    }

    fn fields(&mut self) -> BTreeMap<String, Field> {
        let mut fields = BTreeMap::new();
        while !self.takes('}') {
            self.takes_word("readonly");
            let Token::Word(name) = self.next() else {
                panic!("a field has no name before {:?}", self.peek())
            };
            let is_optional = self.takes('?');
            self.expect(':');
            fields.insert(name, Field { shape: self.one_of(), is_optional });
            let _ = self.takes(';') || self.takes(',');
        }
        fields
    }

    fn tuple(&mut self) -> Shape {
        let mut shapes = Vec::new();
        while !self.takes(']') {
            if self.takes('.') {
                // `[T, ...T[]]` is a list that is not empty, for all that is read here.
                (0..2).for_each(|_| self.expect('.'));
                let rest = self.one_of();
                self.expect(']');
                return rest;
            }
            shapes.push(self.one_of());
            self.takes(',');
        }
        Shape::Tuple(shapes)
    }

    /// A function, after the parenthesis that begins its parameters.
    fn function(&mut self) -> Shape {
        while self.next() != Token::Sign(')') {}
        self.expect('=');
        self.expect('>');
        self.one_of();
        Shape::Foreign("a function".to_owned())
    }

    fn word(&mut self, word: String) -> Shape {
        let given = self.parameters();
        match (word.as_str(), given.as_slice()) {
            ("unknown", _) => Shape::Any,
            ("number", _) => Shape::Number,
            ("string", _) => Shape::Text,
            ("boolean", _) => Shape::Flag,
            ("object", _) => Shape::Object,
            ("null", _) => Shape::Literal(Value::Null),
            ("true", _) => Shape::Literal(json!(true)),
            ("Readonly", [shape]) => shape.clone(),
            ("Record", [_, shape]) => Shape::Record(Box::new(shape.clone())),
            ("Omit", [shape, names]) => chosen(shape, |name| !words(names).contains(name)),
            ("Pick", [shape, names]) => chosen(shape, |name| words(names).contains(name)),
            _ => self.types.named(&word).unwrap_or(Shape::Foreign(word)),
        }
    }

    fn parameters(&mut self) -> Vec<Shape> {
        let mut shapes = Vec::new();
        if self.takes('<') {
            while !self.takes('>') {
                shapes.push(self.one_of());
                self.takes(',');
            }
        }
        shapes
    }
}

/// The strings that a type allows.
fn words(shape: &Shape) -> Vec<String> {
    let word = |shape: &&Shape| match shape {
        Shape::Literal(value) => value.as_str().map(str::to_owned),
        _ => None,
    };
    shape.alternatives().iter().filter_map(word).collect()
}

fn field_of(shape: Shape, name: &str) -> Shape {
    match shape {
        Shape::Fields(mut fields) if fields.contains_key(name) => {
            fields.remove(name).expect("looked for").shape
        }
        shape => panic!("{shape} has no field {name}"),
    }
}

fn chosen(shape: &Shape, keeps: impl Fn(&String) -> bool) -> Shape {
    let Shape::Fields(fields) = shape else { panic!("{shape} has no fields to choose from") };
    let kept = fields.iter().filter(|(name, _)| keeps(name));
    Shape::Fields(kept.map(|(name, field)| (name.clone(), field.clone())).collect())
}

/// One shape that has the fields of all.
fn together(mut shapes: Vec<Shape>) -> Shape {
    if shapes.len() == 1 {
        return shapes.remove(0);
    }
    let fields = shapes.into_iter().flat_map(|shape| match shape {
        Shape::Fields(fields) => fields,
        shape => panic!("{shape} has no fields to be joined with others"),
    });
    Shape::Fields(fields.collect())
}
