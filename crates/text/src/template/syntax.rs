//! A template as a tree.

use std::sync::Arc;

/// A name or a piece of text of the template.
pub(crate) type Word = Arc<str>;

/// An expression and the line where it stands.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: Box<ExprKind>,
    pub(crate) line: u32,
}

/// The kinds of expressions.
#[derive(Debug)]
pub(crate) enum ExprKind {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Word),
    Name(Word),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attribute(Expr, Word),
    Item(Expr, Expr),
    Slice(Expr, [Option<Expr>; 3]),
    Call(Expr, CallArgs),
    /// A filter; without a value, the text of the block around it.
    Filter(Option<Expr>, Word, CallArgs),
    Test(Expr, Word, CallArgs),
    Signed {
        value: Expr,
        negative: bool,
    },
    Not(Expr),
    And(Expr, Expr),
    Or(Expr, Expr),
    Binary(Operator, Expr, Expr),
    /// `a ~ b ~ c`.
    Concat(Vec<Expr>),
    Compare(Expr, Vec<(Comparison, Expr)>),
    Choice {
        test: Expr,
        yes: Expr,
        no: Option<Expr>,
    },
}

/// The arguments of a call.
#[derive(Debug, Default)]
pub(crate) struct CallArgs {
    pub(crate) positional: Vec<Expr>,
    pub(crate) keyword: Vec<(Word, Expr)>,
    /// `*args`.
    pub(crate) all: Option<Expr>,
    /// `**kwargs`.
    pub(crate) all_named: Option<Expr>,
}

impl CallArgs {
    /// All expressions, in the order of evaluation.
    pub(crate) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.positional
            .iter()
            .chain(self.keyword.iter().map(|(_, value)| value))
            .chain(&self.all)
            .chain(&self.all_named)
    }
}

/// Operators between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
}

impl Operator {
    /// The operator as Python names it in messages.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Mod => "%",
            Self::Pow => "** or pow()",
        }
    }
}

/// Comparisons, which may be chained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
}

/// What is assigned to.
#[derive(Debug)]
pub(crate) enum Target {
    Name(Word),
    /// An attribute of a namespace.
    Field(Word, Word),
    Tuple(Vec<Target>),
}

/// Statements in order, as one scope's or a part of one.
pub(crate) type Body = Vec<Statement>;

/// A scope of its own: its statements, and the names that are not defined where it begins because they are
/// assigned within.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) body: Body,
    pub(crate) unset: Vec<Word>,
}

/// A statement and its line.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) kind: StatementKind,
    pub(crate) line: u32,
}

/// The kinds of statements.
#[derive(Debug)]
pub(crate) enum StatementKind {
    Text(Word),
    Print(Expr),
    Set(Target, Expr),
    SetBlock {
        target: Target,
        filter: Option<Expr>,
        block: Block,
    },
    If {
        branches: Vec<(Expr, Body)>,
        otherwise: Body,
    },
    For(Arc<Loop>),
    With {
        targets: Vec<Target>,
        values: Vec<Expr>,
        block: Block,
    },
    Macro(Arc<Macro>),
    CallBlock {
        call: Expr,
        caller: Arc<Macro>,
    },
    FilterBlock {
        filter: Expr,
        block: Block,
    },
    /// `{% generation %}`, which marks the model's own words.
    Generation(Arc<Macro>),
    Break,
    Continue,
}

/// `{% for target in items if test %}`.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) target: Target,
    pub(crate) items: Expr,
    pub(crate) test: Option<Expr>,
    pub(crate) recursive: bool,
    pub(crate) body: Block,
    pub(crate) otherwise: Block,
}

/// `{% macro name(parameters) %}`; also the body of a `{% call %}`, which has no name.
#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) name: Option<Word>,
    pub(crate) parameters: Vec<Word>,
    /// Of the last parameters.
    pub(crate) defaults: Vec<Expr>,
    pub(crate) body: Block,
    pub(crate) uses: Uses,
}

/// Which of a macro's special names its body reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Uses {
    pub(crate) caller: bool,
    pub(crate) kwargs: bool,
    pub(crate) varargs: bool,
}
