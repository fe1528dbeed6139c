//! Statements: the tags `{% … %}` and the text between them.

use std::sync::Arc;

use crate::template::fault::{Outcome, failed, refused};
use crate::template::parser::Parser;
use crate::template::parser::expression::Conditions;
use crate::template::symbols;
use crate::template::syntax::{
    Block, Body, Expr, ExprKind, Loop, Macro, Statement, StatementKind, Target, Uses, Word,
};
use crate::template::token::Token;

fn block(body: Body) -> Block {
    Block { body, unset: Vec::new() }
}

impl Parser {
    /// Statements up to a tag of one of the names in `ends`, which is left to be read.
    pub(super) fn body(&mut self, ends: &[&str]) -> Outcome<Body> {
        let mut body = Body::new();
        loop {
            let line = self.line();
            let kind = match self.token().clone() {
                Token::Data(text) => {
                    self.at += 1;
                    StatementKind::Text(Word::from(text))
                }
                Token::VariableBegin => {
                    self.at += 1;
                    let value = self.tuple(Conditions::Allowed, None, false)?;
                    self.expect(&Token::VariableEnd)?;
                    StatementKind::Print(value)
                }
                Token::BlockBegin => {
                    self.at += 1;
                    if ends.iter().any(|name| self.is_name(name)) {
                        return Ok(body);
                    }
                    let kinds = self.deeper(Self::statement)?;
                    self.expect(&Token::BlockEnd)?;
                    body.extend(kinds.into_iter().map(|kind| Statement { kind, line }));
                    continue;
                }
                Token::End if ends.is_empty() => return Ok(body),
                Token::End => {
                    return failed(format!("unexpected end of template; expected {}", ends.join(" or ")));
                }
                _ => return self.unexpected("text or a tag"),
            };
            body.push(Statement { kind, line });
        }
    }

    fn statement(&mut self) -> Outcome<Vec<StatementKind>> {
        let name = self.expect_name()?;
        let kind = match name.as_str() {
            "set" => self.set()?,
            "if" => self.if_()?,
            "for" => self.for_()?,
            "with" => self.with()?,
            "macro" => self.macro_()?,
            "call" => self.call_block()?,
            "filter" => {
                let filter = self.filter(None)?;
                let filter = self.further_filters(filter)?;
                StatementKind::FilterBlock { filter, block: block(self.until("endfilter")?) }
            }
            "generation" => {
                let body = self.function("endgeneration")?;
                StatementKind::Generation(Arc::new(macro_of(None, (Vec::new(), Vec::new()), body)?))
            }
            "print" => return self.print(),
            "break" | "continue" => {
                if self.loops.last().is_none_or(|n| *n == 0) {
                    return failed(format!("'{name}' outside of a loop"));
                }
                if name == "break" { StatementKind::Break } else { StatementKind::Continue }
            }
            "block" | "extends" | "include" | "import" | "from" | "autoescape" => {
                return refused(format!("the tag {{% {name} %}}"));
            }
            _ => return failed(format!("Encountered unknown tag '{name}'")),
        };
        Ok(vec![kind])
    }

    /// The statements of a block, after its first tag, up to and with its last.
    fn until(&mut self, end: &str) -> Outcome<Body> {
        let body = self.part(&[end])?;
        self.expect_word(end)?;
        Ok(body)
    }

    /// The statements of a part of a block, which ends with one of several tags.
    fn part(&mut self, ends: &[&str]) -> Outcome<Body> {
        self.skip_sign(":");
        self.expect(&Token::BlockEnd)?;
        self.body(ends)
    }

    /// A body that becomes a function: loops around it cannot be left from within.
    fn function(&mut self, end: &str) -> Outcome<Body> {
        self.loops.push(0);
        let body = self.until(end);
        self.loops.pop();
        body
    }

    fn print(&mut self) -> Outcome<Vec<StatementKind>> {
        let mut values = Vec::new();
        while *self.token() != Token::BlockEnd {
            if !values.is_empty() {
                self.expect_sign(",")?;
            }
            values.push(StatementKind::Print(self.expression()?));
        }
        Ok(values)
    }

    fn set(&mut self) -> Outcome<StatementKind> {
        let target = self.target(true, None)?;
        if self.skip_sign("=") {
            return Ok(StatementKind::Set(target, self.tuple(Conditions::Allowed, None, false)?));
        }
        let mut filter = None;
        if self.skip_sign("|") {
            let first = self.filter(None)?;
            filter = Some(self.further_filters(first)?);
        }
        if matches!(target, Target::Field(..)) {
            // Jinja2 lets such a block change a dict as well.
            return refused("{% set namespace.name %} as a block");
        }
        Ok(StatementKind::SetBlock { target, filter, block: block(self.until("endset")?) })
    }

    fn further_filters(&mut self, mut value: Expr) -> Outcome<Expr> {
        while self.skip_sign("|") {
            value = self.filter(Some(value))?;
        }
        Ok(value)
    }

    /// What is assigned to, up to a name in `end`. Fields of namespaces are targets of `set` alone.
    fn target(&mut self, fields: bool, end: Option<&str>) -> Outcome<Target> {
        let mut targets = Vec::new();
        let mut is_tuple = false;
        loop {
            if !targets.is_empty() {
                self.expect_sign(",")?;
            }
            let ends = matches!(self.token(), Token::VariableEnd | Token::BlockEnd | Token::Sign(")"))
                || end.is_some_and(|name| self.is_name(name));
            if ends {
                break;
            }
            targets.push(self.one_target(fields)?);
            if !self.is_sign(",") {
                break;
            }
            is_tuple = true;
        }
        match targets.pop() {
            Some(only) if !is_tuple => Ok(only),
            None => failed("expected a name to assign to"),
            last => {
                targets.extend(last);
                Ok(Target::Tuple(targets))
            }
        }
    }

    fn one_target(&mut self, fields: bool) -> Outcome<Target> {
        if self.skip_sign("(") {
            let inside = self.deeper(|p| p.target(false, None))?;
            self.expect_sign(")")?;
            return Ok(inside);
        }
        let name = self.plain_name()?;
        if fields && self.skip_sign(".") {
            return Ok(Target::Field(name, Word::from(self.expect_name()?)));
        }
        Ok(Target::Name(name))
    }

    /// A name that can be assigned to.
    fn plain_name(&mut self) -> Outcome<Word> {
        let name = self.expect_name()?;
        if matches!(name.as_str(), "true" | "True" | "false" | "False" | "none" | "None") {
            return failed(format!("can't assign to '{name}'"));
        }
        Ok(Word::from(name))
    }

    fn if_(&mut self) -> Outcome<StatementKind> {
        let mut branches = Vec::new();
        loop {
            let test = self.tuple(Conditions::Left, None, false)?;
            branches.push((test, self.part(&["elif", "else", "endif"])?));
            if self.skip_name("elif") {
                continue;
            }
            let otherwise = if self.skip_name("else") {
                self.until("endif")?
            } else {
                self.expect_word("endif")?;
                Body::new()
            };
            return Ok(StatementKind::If { branches, otherwise });
        }
    }

    fn for_(&mut self) -> Outcome<StatementKind> {
        let target = self.target(false, Some("in"))?;
        self.expect_word("in")?;
        let items = self.tuple(Conditions::Left, Some("recursive"), false)?;
        let test = if self.skip_name("if") { Some(self.expression()?) } else { None };
        let recursive = self.skip_name("recursive");
        if recursive {
            self.loops.push(0);
        }
        self.in_loop(1);
        let body = self.part(&["endfor", "else"]);
        self.in_loop(-1);
        let body = body?;
        let otherwise = if self.skip_name("else") {
            self.until("endfor")?
        } else {
            self.expect_word("endfor")?;
            Body::new()
        };
        if recursive {
            self.loops.pop();
        }
        let node = Loop { target, items, test, recursive, body: block(body), otherwise: block(otherwise) };
        symbols::check_loop(&node)?;
        Ok(StatementKind::For(Arc::new(node)))
    }

    fn in_loop(&mut self, change: i32) {
        if let Some(n) = self.loops.last_mut() {
            *n = n.saturating_add_signed(change);
        }
    }

    fn with(&mut self) -> Outcome<StatementKind> {
        let (mut targets, mut values) = (Vec::new(), Vec::new());
        while *self.token() != Token::BlockEnd {
            if !targets.is_empty() {
                self.expect_sign(",")?;
            }
            targets.push(self.target(false, None)?);
            self.expect_sign("=")?;
            values.push(self.expression()?);
        }
        Ok(StatementKind::With { targets, values, block: block(self.until("endwith")?) })
    }

    fn signature(&mut self) -> Outcome<(Vec<Word>, Vec<Expr>)> {
        let (mut names, mut defaults) = (Vec::new(), Vec::new());
        self.expect_sign("(")?;
        while !self.is_sign(")") {
            if !names.is_empty() {
                self.expect_sign(",")?;
            }
            let name = self.plain_name()?;
            if self.skip_sign("=") {
                defaults.push(self.expression()?);
            } else if !defaults.is_empty() {
                return failed("non-default argument follows default argument");
            }
            if names.contains(&name) {
                return failed(format!("duplicate argument '{name}' in a macro"));
            }
            names.push(name);
        }
        self.expect_sign(")")?;
        Ok((names, defaults))
    }

    fn macro_(&mut self) -> Outcome<StatementKind> {
        let name = self.plain_name()?;
        let signature = self.signature()?;
        let body = self.function("endmacro")?;
        Ok(StatementKind::Macro(Arc::new(macro_of(Some(name), signature, body)?)))
    }

    fn call_block(&mut self) -> Outcome<StatementKind> {
        let signature = if self.is_sign("(") { self.signature()? } else { Default::default() };
        let call = self.expression()?;
        if !matches!(*call.kind, ExprKind::Call(..)) {
            return failed("expected call");
        }
        let body = self.function("endcall")?;
        Ok(StatementKind::CallBlock { call, caller: Arc::new(macro_of(None, signature, body)?) })
    }
}

fn macro_of(name: Option<Word>, signature: (Vec<Word>, Vec<Expr>), body: Body) -> Outcome<Macro> {
    let (parameters, defaults) = signature;
    let [caller, kwargs, varargs] = symbols::reads_first(&body, ["caller", "kwargs", "varargs"]);
    let has = |name: &str| parameters.iter().any(|p| **p == *name);
    if caller && parameters.iter().take(parameters.len() - defaults.len()).any(|p| **p == *"caller") {
        return failed("the special \"caller\" argument of a macro must be omitted or be given a default");
    }
    let uses = Uses { caller, kwargs: kwargs && !has("kwargs"), varargs: varargs && !has("varargs") };
    Ok(Macro { name, parameters, defaults, body: block(body), uses })
}
