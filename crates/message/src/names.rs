//! Words of the domain: each has one name in journal, interface and metric, and one in German.

/// Gives an enum its names.
macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal $german:literal),+ $(,)? }) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The name in journal, interface and metric.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// German name for people.
            #[must_use]
            pub const fn german(self) -> &'static str {
                match self { $(Self::$variant => $german),+ }
            }
            /// The one of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
