//! What a hala.h declares, read as cbindgen writes it.

/// All that a program which was compiled with a header relies on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) structs: Vec<Struct>,
    /// Names of constants, of enums and of macros.
    pub(super) constants: Vec<String>,
    pub(super) functions: Vec<Function>,
    pub(super) callbacks: Vec<Function>,
}

/// A struct whose fields are known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Struct {
    pub(super) name: String,
    /// Types and names.
    pub(super) fields: Vec<(String, String)>,
}

/// A function, or a type of callbacks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Its types, as `bool (const struct HalaEvent *, void *)`.
    pub(super) kind: String,
}

/// Reads a header.
pub(super) fn read(text: &str) -> Header {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let (mut header, mut at) = (Header::default(), 0);
    header.constants.push("HALA_ABI_VERSION".to_owned());
    while at < code.len() {
        let line = code[at].trim();
        if let Some(name) = line.strip_prefix("typedef struct ").and_then(|rest| rest.strip_suffix(" {")) {
            let fields = block(&code[at + 1..], "}").iter().map(|field| split(field)).collect();
            header.structs.push(Struct { name: name.to_owned(), fields });
        } else if line.starts_with("enum Hala") {
            let values = block(&code[at + 1..], "};");
            let names =
                values.iter().filter_map(|value| value.split_once(" = ")).map(|(name, _)| name.trim());
            header.constants.extend(names.map(str::to_owned));
        } else if line.starts_with("HALA_API") {
            let declared = declaration(&code[at..]).replacen("HALA_API", "", 1);
            header.functions.push(function(&declared));
        } else if line.starts_with("typedef bool (*") {
            header.callbacks.push(callback(&declaration(&code[at..])));
        }
        at += 1;
    }
    header
}

/// The lines up to one that begins with `end`, without what is empty and without what is for the preprocessor.
fn block<'a>(code: &[&'a str], end: &str) -> Vec<&'a str> {
    let lines = code.iter().map(|line| line.trim()).take_while(|line| !line.starts_with(end));
    lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '{', ':'])).collect()
}

/// A declaration of one line or more, in one.
fn declaration(code: &[&str]) -> String {
    let mut whole = String::new();
    for line in code {
        whole += line.trim();
        whole.push(' ');
        if line.trim_end().ends_with(';') {
            break;
        }
    }
    whole.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Type and name of a field or a parameter: `const char *data;`.
fn split(declared: &str) -> (String, String) {
    let declared = declared.trim().trim_end_matches(';');
    let at = declared.rfind([' ', '*']).map_or(0, |at| at + 1);
    (declared[..at].trim().to_owned(), declared[at..].to_owned())
}

/// The types of parameters; their names may change.
fn kinds(parameters: &str) -> String {
    let kind = |one: &str| if one.trim() == "void" { "void".to_owned() } else { split(one).0 };
    parameters.split(',').map(kind).collect::<Vec<_>>().join(", ")
}

/// `HalaStatus hala_trim(const struct HalaEngine *engine);`.
fn function(declared: &str) -> Function {
    let (head, parameters) = declared.split_once('(').unwrap();
    let (result, name) = split(head);
    Function { name, kind: format!("{result} ({})", kinds(parameters.trim_end_matches(");"))) }
}

/// `typedef bool (*HalaEventCallback)(const struct HalaEvent *event, void *user_data);`.
fn callback(declared: &str) -> Function {
    let rest = declared.strip_prefix("typedef bool (*").unwrap();
    let (name, parameters) = rest.split_once(")(").unwrap();
    Function { name: name.to_owned(), kind: format!("bool ({})", kinds(parameters.trim_end_matches(");"))) }
}

#[test]
fn a_header_is_read_as_it_is_written() {
    let text = "// A comment; with = and {\nenum HalaKind\n#if defined(__cplusplus)\n  : int32_t\n#endif // x\n {\n    // One.\n    HALA_KIND_ONE = 1,\n};\n\
        typedef struct HalaOpaque HalaOpaque;\n\
        typedef struct HalaText {\n    // The bytes.\n    const char *data;\n    size_t len;\n} HalaText;\n\
        typedef bool (*HalaCallback)(const struct HalaText *text, void *user_data);\n\
        HALA_API uint32_t hala_abi_version(void);\nHALA_API\nHalaStatus hala_take(const struct HalaText *text,\n                     size_t n);\n";
    let named = |name: &str, kind: &str| Function { name: name.to_owned(), kind: kind.to_owned() };
    let fields = [("const char *", "data"), ("size_t", "len")];
    let expected = Header {
        structs: vec![Struct {
            name: "HalaText".to_owned(),
            fields: fields.map(|(kind, name)| (kind.to_owned(), name.to_owned())).to_vec(),
        }],
        constants: vec!["HALA_ABI_VERSION".to_owned(), "HALA_KIND_ONE".to_owned()],
        functions: vec![
            named("hala_abi_version", "uint32_t (void)"),
            named("hala_take", "HalaStatus (const struct HalaText *, size_t)"),
        ],
        callbacks: vec![named("HalaCallback", "bool (const struct HalaText *, void *)")],
    };
    assert_eq!(read(text), expected);
}
