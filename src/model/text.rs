//! What nouns that are a text have in common: they are checked where they come in, and are that text everywhere else.

/// Of a noun `struct Noun(String)` with a `FromStr`: it is read from and written as its text, in JSON and for people.
macro_rules! is_text {
    ($noun:ident) => {
        impl TryFrom<String> for $noun {
            type Error = <$noun as std::str::FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$noun> for String {
            fn from(noun: $noun) -> Self {
                noun.0
            }
        }

        impl std::fmt::Display for $noun {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

pub(crate) use is_text;
