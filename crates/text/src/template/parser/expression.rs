//! Expressions, from conditions down to names and literals.

use crate::template::fault::Outcome;
use crate::template::parser::Parser;
use crate::template::syntax::{Comparison, Expr, ExprKind, Operator, Word};
use crate::template::token::Token;

/// Whether an expression may be `a if b else c`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Conditions {
    Allowed,
    Left,
}

pub(super) fn expr(kind: ExprKind, line: u32) -> Expr {
    Expr { kind: Box::new(kind), line }
}

impl Parser {
    pub(super) fn expression(&mut self) -> Outcome<Expr> {
        self.deeper(Self::condition)
    }

    fn condition(&mut self) -> Outcome<Expr> {
        let line = self.line();
        let mut value = self.or()?;
        while self.skip_name("if") {
            let test = self.or()?;
            let no = if self.skip_name("else") { Some(self.expression()?) } else { None };
            value = expr(ExprKind::Choice { test, yes: value, no }, line);
        }
        Ok(value)
    }

    fn or(&mut self) -> Outcome<Expr> {
        let line = self.line();
        let mut left = self.and()?;
        while self.skip_name("or") {
            let right = self.and()?;
            left = expr(ExprKind::Or(left, right), line);
        }
        Ok(left)
    }

    fn and(&mut self) -> Outcome<Expr> {
        let line = self.line();
        let mut left = self.not()?;
        while self.skip_name("and") {
            let right = self.not()?;
            left = expr(ExprKind::And(left, right), line);
        }
        Ok(left)
    }

    fn not(&mut self) -> Outcome<Expr> {
        let line = self.line();
        if self.skip_name("not") {
            let value = self.deeper(Self::not)?;
            return Ok(expr(ExprKind::Not(value), line));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Outcome<Expr> {
        let line = self.line();
        let first = self.sum()?;
        let mut rest = Vec::new();
        while let Some(comparison) = self.comparison_sign() {
            rest.push((comparison, self.sum()?));
        }
        Ok(if rest.is_empty() { first } else { expr(ExprKind::Compare(first, rest), line) })
    }

    fn comparison_sign(&mut self) -> Option<Comparison> {
        let (comparison, n_tokens) = match self.token() {
            Token::Sign("==") => (Comparison::Equal, 1),
            Token::Sign("!=") => (Comparison::NotEqual, 1),
            Token::Sign("<") => (Comparison::Less, 1),
            Token::Sign("<=") => (Comparison::LessEqual, 1),
            Token::Sign(">") => (Comparison::Greater, 1),
            Token::Sign(">=") => (Comparison::GreaterEqual, 1),
            Token::Name(name) if name == "in" => (Comparison::In, 1),
            Token::Name(name) if name == "not" && matches!(self.look(1), Token::Name(n) if n == "in") => {
                (Comparison::NotIn, 2)
            }
            _ => return None,
        };
        self.at += n_tokens;
        Some(comparison)
    }

    /// `left sign right sign …` from the left.
    fn chain(
        &mut self,
        signs: &[(&str, Operator)],
        operand: impl Fn(&mut Self) -> Outcome<Expr>,
    ) -> Outcome<Expr> {
        let line = self.line();
        let mut left = operand(self)?;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.is_sign(sign)) {
            self.at += 1;
            let right = operand(self)?;
            left = expr(ExprKind::Binary(*operator, left, right), line);
        }
        Ok(left)
    }

    fn sum(&mut self) -> Outcome<Expr> {
        self.chain(&[("+", Operator::Add), ("-", Operator::Sub)], Self::concatenation)
    }

    fn concatenation(&mut self) -> Outcome<Expr> {
        let line = self.line();
        let first = self.product()?;
        let mut parts = vec![first];
        while self.skip_sign("~") {
            parts.push(self.product()?);
        }
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                Ok(expr(ExprKind::Concat(parts), line))
            }
        }
    }

    fn product(&mut self) -> Outcome<Expr> {
        let signs =
            [("*", Operator::Mul), ("/", Operator::Div), ("//", Operator::FloorDiv), ("%", Operator::Mod)];
        self.chain(&signs, Self::power)
    }

    fn power(&mut self) -> Outcome<Expr> {
        self.chain(&[("**", Operator::Pow)], Self::filtered)
    }

    fn filtered(&mut self) -> Outcome<Expr> {
        let value = self.unary()?;
        self.filters_and_tests(value)
    }

    fn unary(&mut self) -> Outcome<Expr> {
        let line = self.line();
        let value = if self.is_sign("-") || self.is_sign("+") {
            let negative = self.next() == Token::Sign("-");
            let value = self.deeper(Self::unary)?;
            expr(ExprKind::Signed { value, negative }, line)
        } else {
            self.primary()?
        };
        self.postfix(value)
    }

    pub(super) fn primary(&mut self) -> Outcome<Expr> {
        let line = self.line();
        let kind = match self.token().clone() {
            Token::Name(name) => {
                self.at += 1;
                match name.as_str() {
                    "true" | "True" => ExprKind::Bool(true),
                    "false" | "False" => ExprKind::Bool(false),
                    "none" | "None" => ExprKind::None,
                    _ => ExprKind::Name(Word::from(name)),
                }
            }
            Token::Text(_) => {
                let mut text = String::new();
                while let Token::Text(part) = self.token() {
                    text.push_str(part);
                    self.at += 1;
                }
                ExprKind::Text(Word::from(text))
            }
            Token::Int(n) => {
                self.at += 1;
                ExprKind::Int(n)
            }
            Token::Float(x) => {
                self.at += 1;
                ExprKind::Float(x)
            }
            Token::Sign("(") => {
                self.at += 1;
                let inside = self.deeper(|p| p.tuple(Conditions::Allowed, None, true))?;
                self.expect_sign(")")?;
                return Ok(inside);
            }
            Token::Sign("[") => ExprKind::List(self.list()?),
            Token::Sign("{") => ExprKind::Dict(self.dict()?),
            _ => return self.unexpected("an expression"),
        };
        Ok(expr(kind, line))
    }

    /// Expressions between commas, which make a tuple; one alone is itself. `end` is a name that ends them.
    pub(super) fn tuple(
        &mut self,
        conditions: Conditions,
        end: Option<&str>,
        parentheses: bool,
    ) -> Outcome<Expr> {
        let line = self.line();
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect_sign(",")?;
            }
            let ends = matches!(self.token(), Token::VariableEnd | Token::BlockEnd | Token::Sign(")"))
                || end.is_some_and(|name| self.is_name(name));
            if ends {
                break;
            }
            items.push(match conditions {
                Conditions::Allowed => self.expression()?,
                Conditions::Left => self.deeper(Self::or)?,
            });
            if !self.is_sign(",") {
                break;
            }
            is_tuple = true;
        }
        if !is_tuple {
            match items.pop() {
                Some(only) => return Ok(only),
                None if !parentheses => return self.unexpected("an expression"),
                None => {}
            }
        }
        Ok(expr(ExprKind::Tuple(items), line))
    }

    fn list(&mut self) -> Outcome<Vec<Expr>> {
        self.expect_sign("[")?;
        let mut items = Vec::new();
        while !self.is_sign("]") {
            if !items.is_empty() {
                self.expect_sign(",")?;
            }
            if self.is_sign("]") {
                break;
            }
            items.push(self.expression()?);
        }
        self.expect_sign("]")?;
        Ok(items)
    }

    fn dict(&mut self) -> Outcome<Vec<(Expr, Expr)>> {
        self.expect_sign("{")?;
        let mut items = Vec::new();
        while !self.is_sign("}") {
            if !items.is_empty() {
                self.expect_sign(",")?;
            }
            if self.is_sign("}") {
                break;
            }
            let key = self.expression()?;
            self.expect_sign(":")?;
            items.push((key, self.expression()?));
        }
        self.expect_sign("}")?;
        Ok(items)
    }
}
