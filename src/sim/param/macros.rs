//! The macros that turn one declaration into reader, schema and reference.

/// Declares a table of parameters; see `sim::param`.
///
/// `name: Type = default, "source";` is optional with a default; `name: Type, required;` must be
/// given; `name: Option<Type> = None, "why nothing";` may be left out.
#[macro_export]
macro_rules! params {
    ($(#[doc = $doc:literal])* pub struct $name:ident {
        $($(#[doc = $fdoc:literal])* $field:ident: $ty:ty $(= $default:expr, $source:literal)? $(, $required:ident)?;)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            $($(#[doc = $fdoc])* pub $field: $ty,)*
        }

        impl $name {
            /// Reads the table; what is missing takes its default, every problem is noted.
            pub fn read(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems) -> Self {
                <Self as $crate::sim::param::Declared>::read_table(node, problems, &[])
            }
        }

        impl Default for $name {
            /// Every parameter at its default; a required one at its type's.
            fn default() -> Self {
                let nothing = $crate::sim::param::Node::table(Vec::new());
                <Self as $crate::sim::param::Declared>::read_table(&nothing, &mut Default::default(), &[])
            }
        }

        impl $crate::sim::param::Declared for $name {
            const DOC: &'static str = concat!($($doc, "\n",)* "");
            fn fields() -> &'static [$crate::sim::param::Field] {
                const FIELDS: &[$crate::sim::param::Field] = &[$($crate::sim::param::Field {
                    name: stringify!($field),
                    doc: concat!($($fdoc, "\n",)* ""),
                    kind: <$ty as $crate::sim::param::Param>::kind,
                    default: || $crate::params!(@show $ty $(, $default)?),
                    source: $crate::params!(@source $($source)?),
                },)*];
                FIELDS
            }

            fn read_table(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems, also_known: &[&str]) -> Self {

                $(let mut $field: Option<$ty> = None;)*
                if !matches!(node.tree, $crate::sim::param::Tree::Table(_)) {
                    problems.add(&node.place, format!("expected a table, found {}", node.what()));
                }
                for entry in node.entries() {
                    match entry.key.as_str() {
                        $(stringify!($field) => $field = <$ty as $crate::sim::param::Param>::read(&entry.node, problems).or_else(|| $crate::params!(@stand_in $ty $(, $default)?)),)*
                        key if also_known.contains(&key) => {}
                        _ => {
                            let mut known = vec![$(stringify!($field)),*];
                            known.extend(also_known);
                            problems.unknown_key(entry, &known);
                        }
                    }
                }
                $name { $($field: $field.unwrap_or_else(|| $crate::params!(@missing $ty, $field, node, problems $(, $default)?)),)* }
            }
            fn values(&self) -> Vec<String> {
                use $crate::sim::param::Param as _;
                vec![$(self.$field.show()),*]
            }
        }

        impl $crate::sim::param::Param for $name {
            fn kind() -> $crate::sim::param::Kind {
                $crate::sim::param::Kind::Table(<Self as $crate::sim::param::Declared>::fields())
            }
            fn read(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems) -> Option<Self> {
                Some($name::read(node, problems))
            }
            fn show(&self) -> String {
                let names = <Self as $crate::sim::param::Declared>::fields().iter().map(|f| f.name);
                let values = <Self as $crate::sim::param::Declared>::values(self);
                let parts: Vec<String> = names.zip(values).filter(|(_, v)| !v.is_empty()).map(|(n, v)| format!("{n} = {v}")).collect();
                format!("{{ {} }}", parts.join(", "))
            }
        }
    };
    (@show $ty:ty, $default:expr) => {{
        let value: $ty = $default;
        Some(<$ty as $crate::sim::param::Param>::show(&value))
    }};
    (@show $ty:ty) => { None };
    (@source $source:literal) => { $source };
    (@source) => { "" };
    (@stand_in $ty:ty, $default:expr) => {{ let value: $ty = $default; Some(value) }};
    (@stand_in $ty:ty) => { Some(<$ty as Default>::default()) };
    (@missing $ty:ty, $field:ident, $node:ident, $problems:ident, $default:expr) => {{ let value: $ty = $default; value }};
    (@missing $ty:ty, $field:ident, $node:ident, $problems:ident) => {{
        $problems.add(&$node.place, format!("missing key `{}`", stringify!($field)));
        <$ty as Default>::default()
    }};
}

/// Declares an enum of words: `choices! { /// doc pub enum Ack { /// doc Flush = "flush", … } }`.
/// The first is the default where one is needed.
#[macro_export]
macro_rules! choices {
    ($(#[doc = $doc:literal])* pub enum $name:ident {
        $(#[doc = $fdoc:literal])* $first:ident = $first_word:literal
        $(, $(#[doc = $vdoc:literal])* $variant:ident = $word:literal)* $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
        pub enum $name {
            $(#[doc = $fdoc])* #[default] $first,
            $($(#[doc = $vdoc])* $variant,)*
        }

        impl $name {
            /// The words, in order.
            pub const WORDS: &'static [&'static str] = &[$first_word $(, $word)*];
            /// The word of this one.
            pub const fn word(self) -> &'static str {
                match self { $name::$first => $first_word, $($name::$variant => $word,)* }
            }
        }

        impl $crate::sim::param::Param for $name {
            fn kind() -> $crate::sim::param::Kind {
                $crate::sim::param::Kind::Choice(Self::WORDS)
            }
            fn read(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems) -> Option<Self> {
                if let $crate::sim::param::Tree::Text(text) = &node.tree {
                    match text.as_str() {
                        $first_word => return Some($name::$first),
                        $($word => return Some($name::$variant),)*
                        _ => {}
                    }
                    let help = $crate::sim::param::suggest(text, Self::WORDS);
                    problems.add_help(&node.place, format!("unknown value `{text}`"), help);
                } else {
                    problems.add(&node.place, format!("expected one of: {}; found {}", Self::WORDS.join(", "), node.what()));
                }
                None
            }
            fn show(&self) -> String {
                format!("{:?}", self.word())
            }
        }
    };
}

/// Declares a catalogue: kinds that a user chooses from by a word, one file and one line each.
///
/// `catalogue! { /// doc pub enum ModeParams by "mode" { "async" => Async(async_log::Params), … } }`
/// reads `{ mode = "async", … }`; with `by ""` it reads `{ async = { … } }`.
#[macro_export]
macro_rules! catalogue {
    ($(#[doc = $doc:literal])* pub enum $name:ident by $tag:literal {
        $($word:literal => $variant:ident($params:path)),* $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Debug)]
        #[allow(clippy::large_enum_variant, reason = "parameters: one of each in a plan")]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant($params),)*
        }

        impl $name {
            /// The key whose value names the kind; empty where the kind is the key itself.
            pub const TAG: &'static str = $tag;
            /// The words, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
            /// Every kind with its documentation and parameters.
            pub const ARMS: &'static [$crate::sim::param::Arm] = &[$($crate::sim::param::Arm {
                word: $word,
                doc: <$params as $crate::sim::param::Declared>::DOC,
                fields: <$params as $crate::sim::param::Declared>::fields,
            }),*];
            /// The word of this one.
            pub const fn word(&self) -> &'static str {
                match self { $($name::$variant(_) => $word),* }
            }
            /// Its parameters' values, as the user would write them.
            pub fn values(&self) -> Vec<String> {
                match self { $($name::$variant(params) => $crate::sim::param::Declared::values(params)),* }
            }
            /// Reads the table; keys in `also_known` belong to somebody else.
            pub fn read_also(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems, also_known: &[&str]) -> Option<Self> {
                let (word, body) = $crate::sim::param::tag_of(node, $tag, Self::WORDS, problems)?;
                let mut known = also_known.to_vec();
                if !$tag.is_empty() {
                    known.push($tag);
                }
                match word.as_str() {
                    $($word => Some($name::$variant(<$params as $crate::sim::param::Declared>::read_table(body, problems, &known))),)*
                    _ => None,
                }
            }
        }

        impl $crate::sim::param::Param for $name {
            fn kind() -> $crate::sim::param::Kind {
                $crate::sim::param::Kind::Tagged($tag, Self::ARMS)
            }
            fn read(node: &$crate::sim::param::Node, problems: &mut $crate::sim::param::Problems) -> Option<Self> {
                Self::read_also(node, problems, &[])
            }
            fn show(&self) -> String {
                match self {
                    $($name::$variant(params) => {
                        let body = $crate::sim::param::Param::show(params);
                        if $tag.is_empty() {
                            format!("{{ {} = {body} }}", $word)
                        } else {
                            let rest = body.trim_start_matches("{ ").trim_end_matches('}').trim();
                            let comma = if rest.is_empty() { "" } else { ", " };
                            format!("{{ {} = {:?}{comma}{rest} }}", $tag, $word)
                        }
                    })*
                }
            }
        }
    };
}
