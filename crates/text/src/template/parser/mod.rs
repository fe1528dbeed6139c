//! Tokens as a tree: the grammar of Jinja2's parser.

mod expression;
mod postfix;
mod statement;

use crate::template::fault::{Outcome, failed, refused};
use crate::template::lexer::{Located, tokens};
use crate::template::symbols;
use crate::template::syntax::Block;
use crate::template::token::{Placed, Token};

/// Reads a template.
///
/// # Errors
/// What is wrong, and the line where.
pub(crate) fn parse(source: &str) -> Located<Block> {
    let tokens = tokens(source)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, loops: vec![0] };
    let body = match parser.body(&[]) {
        Ok(body) => body,
        Err(fault) => return Err((fault, parser.line())),
    };
    let mut root = Block { body, unset: Vec::new() };
    symbols::resolve(&mut root).map_err(|fault| (fault, 1))?;
    Ok(root)
}

/// How deep expressions and statements may lie in each other.
const MAX_DEPTH: u32 = 100;

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    depth: u32,
    /// How many loops are open, for each macro or other function of Python's that the tree will be in.
    loops: Vec<u32>,
}

impl Parser {
    fn token(&self) -> &Token {
        self.look(0)
    }

    fn look(&self, n: usize) -> &Token {
        self.tokens.get(self.at + n).map_or(&Token::End, |placed| &placed.token)
    }

    fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |placed| placed.line)
    }

    /// Goes one token on and gives the one that was.
    fn next(&mut self) -> Token {
        let token = self.token().clone();
        self.at += 1;
        token
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.token(), Token::Name(found) if found == name)
    }

    fn skip_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Outcome<()> {
        if self.skip_sign(sign) { Ok(()) } else { self.unexpected(&format!("'{sign}'")) }
    }

    fn expect_word(&mut self, name: &str) -> Outcome<()> {
        if self.skip_name(name) { Ok(()) } else { self.unexpected(&format!("'{name}'")) }
    }

    fn expect(&mut self, token: &Token) -> Outcome<()> {
        if self.token() == token {
            self.at += 1;
            return Ok(());
        }
        self.unexpected(&described(token))
    }

    fn expect_name(&mut self) -> Outcome<String> {
        match self.token() {
            Token::Name(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => self.unexpected("a name"),
        }
    }

    fn unexpected<T>(&self, expected: &str) -> Outcome<T> {
        match self.token() {
            Token::End => failed(format!("unexpected end of template, expected {expected}")),
            token => failed(format!("expected {expected}, got {}", described(token))),
        }
    }

    /// Runs a part of the grammar one level deeper.
    fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return refused(format!("expressions and blocks of more than {MAX_DEPTH} levels"));
        }
        let found = part(self);
        self.depth -= 1;
        found
    }
}

fn described(token: &Token) -> String {
    match token {
        Token::Data(_) => "text".to_owned(),
        Token::VariableBegin => "'{{'".to_owned(),
        Token::VariableEnd => "'}}'".to_owned(),
        Token::BlockBegin => "'{%'".to_owned(),
        Token::BlockEnd => "'%}'".to_owned(),
        Token::Name(name) => format!("'{name}'"),
        Token::Text(text) => format!("the string {text:?}"),
        Token::Int(n) => format!("'{n}'"),
        Token::Float(x) => format!("'{x}'"),
        Token::Sign(sign) => format!("'{sign}'"),
        Token::End => "the end of the template".to_owned(),
    }
}
