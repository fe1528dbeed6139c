//! What follows an expression: attributes, items, calls, filters and tests.

use crate::template::fault::{Outcome, failed};
use crate::template::parser::Parser;
use crate::template::parser::expression::expr;
use crate::template::syntax::{CallArgs, Expr, ExprKind, Word};
use crate::template::token::Token;

impl Parser {
    pub(super) fn postfix(&mut self, mut value: Expr) -> Outcome<Expr> {
        loop {
            let line = self.line();
            value = match self.token() {
                Token::Sign(".") => self.dotted(value)?,
                Token::Sign("[") => self.bracketed(value)?,
                Token::Sign("(") => expr(ExprKind::Call(value, self.call_args()?), line),
                _ => return Ok(value),
            };
        }
    }

    fn dotted(&mut self, owner: Expr) -> Outcome<Expr> {
        let line = self.line();
        self.expect_sign(".")?;
        match self.next() {
            Token::Name(name) => Ok(expr(ExprKind::Attribute(owner, Word::from(name)), line)),
            Token::Int(n) => Ok(expr(ExprKind::Item(owner, expr(ExprKind::Int(n), line)), line)),
            _ => failed("expected name or number after a dot"),
        }
    }

    fn bracketed(&mut self, owner: Expr) -> Outcome<Expr> {
        let line = self.line();
        self.expect_sign("[")?;
        let mut keys = Vec::new();
        while !self.is_sign("]") {
            if !keys.is_empty() {
                self.expect_sign(",")?;
            }
            match self.subscript()? {
                Subscript::Key(key) => keys.push(key),
                Subscript::Slice(bounds) => {
                    if !keys.is_empty() || !self.is_sign("]") {
                        return failed("a slice among other subscripts");
                    }
                    self.expect_sign("]")?;
                    return Ok(expr(ExprKind::Slice(owner, *bounds), line));
                }
            }
        }
        self.expect_sign("]")?;
        let key = match keys.pop() {
            Some(only) if keys.is_empty() => only,
            last => {
                keys.extend(last);
                expr(ExprKind::Tuple(keys), line)
            }
        };
        Ok(expr(ExprKind::Item(owner, key), line))
    }

    fn subscript(&mut self) -> Outcome<Subscript> {
        let start = if self.is_sign(":") { None } else { Some(self.expression()?) };
        let start = match start {
            Some(key) if !self.is_sign(":") => return Ok(Subscript::Key(key)),
            start => start,
        };
        self.expect_sign(":")?;
        let bound = |p: &mut Self| {
            let ends = p.is_sign(":") || p.is_sign("]") || p.is_sign(",");
            if ends { Ok(None) } else { p.expression().map(Some) }
        };
        let stop = bound(self)?;
        let step = if self.skip_sign(":") { bound(self)? } else { None };
        Ok(Subscript::Slice(Box::new([start, stop, step])))
    }

    pub(super) fn filters_and_tests(&mut self, mut value: Expr) -> Outcome<Expr> {
        loop {
            let line = self.line();
            value = match self.token() {
                Token::Sign("|") => {
                    self.at += 1;
                    self.filter(Some(value))?
                }
                Token::Name(name) if name == "is" => self.test(value)?,
                Token::Sign("(") => expr(ExprKind::Call(value, self.call_args()?), line),
                _ => return Ok(value),
            };
        }
    }

    /// A filter after its `|`.
    pub(super) fn filter(&mut self, value: Option<Expr>) -> Outcome<Expr> {
        let line = self.line();
        let name = self.dotted_name()?;
        let args = if self.is_sign("(") { self.call_args()? } else { CallArgs::default() };
        Ok(expr(ExprKind::Filter(value, name, args), line))
    }

    fn dotted_name(&mut self) -> Outcome<Word> {
        let mut name = self.expect_name()?;
        while self.skip_sign(".") {
            name = format!("{name}.{}", self.expect_name()?);
        }
        Ok(Word::from(name))
    }

    fn test(&mut self, value: Expr) -> Outcome<Expr> {
        let line = self.line();
        self.expect_word("is")?;
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let mut args = CallArgs::default();
        let takes_value = match self.token() {
            Token::Sign("(") => {
                args = self.call_args()?;
                false
            }
            Token::Name(word) if matches!(word.as_str(), "else" | "or" | "and") => false,
            Token::Name(word) if word == "is" => return failed("You cannot chain multiple tests with is"),
            Token::Name(_) | Token::Text(_) | Token::Int(_) | Token::Float(_) | Token::Sign("[" | "{") => {
                true
            }
            _ => false,
        };
        if takes_value {
            let argument = self.primary()?;
            args.positional.push(self.postfix(argument)?);
        }
        let test = expr(ExprKind::Test(value, name, args), line);
        Ok(if negated { expr(ExprKind::Not(test), line) } else { test })
    }

    fn call_args(&mut self) -> Outcome<CallArgs> {
        self.deeper(Self::arguments)
    }

    fn arguments(&mut self) -> Outcome<CallArgs> {
        self.expect_sign("(")?;
        let mut args = CallArgs::default();
        let mut first = true;
        while !self.is_sign(")") {
            if !first {
                self.expect_sign(",")?;
                if self.is_sign(")") {
                    break;
                }
            }
            first = false;
            let plain = args.all.is_none() && args.all_named.is_none();
            let valid = if self.skip_sign("*") {
                args.all = Some(self.expression()?);
                plain
            } else if self.skip_sign("**") {
                let repeated = args.all_named.is_some();
                args.all_named = Some(self.expression()?);
                !repeated
            } else if let (Token::Name(name), Token::Sign("=")) = (self.token().clone(), self.look(1)) {
                self.at += 2;
                let known = args.keyword.iter().any(|(n, _)| **n == *name);
                args.keyword.push((Word::from(name), self.expression()?));
                args.all_named.is_none() && !known
            } else {
                args.positional.push(self.expression()?);
                plain && args.keyword.is_empty()
            };
            if !valid {
                return failed("invalid syntax for function call expression");
            }
        }
        self.expect_sign(")")?;
        Ok(args)
    }
}

/// What stands in brackets.
enum Subscript {
    Key(Expr),
    Slice(Box<[Option<Expr>; 3]>),
}
