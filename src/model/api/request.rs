//! How requests are written down: their members once, from which come the structure, its constructor
//! and its setters.

/// Defines the request of an operation.
///
/// - `required` members are the arguments of `new`; `items` are those that are lists.
/// - `given` members may be absent for AWS, but `new` wants them.
/// - `optional` members are absent after `new` and have a setter each. `list` members are optional
///   too; their setters take anything that gives their items.
///
/// What is said of a member stands at the field and at its setter.
macro_rules! request {
    (
        $(#[$about:meta])*
        $name:ident $(<$value:ident = $default:ty>)? {
            required { $($(#[$required_about:meta])* $required:ident: $required_type:ty,)* }
            $(given { $($(#[$given_about:meta])* $given:ident: $given_type:ty,)* })?
            $(items { $($(#[$items_about:meta])* $items:ident: $items_type:ty,)* })?
            $(optional { $($(#[$optional_about:meta])* $optional:ident: $optional_type:ty,)* })?
            $(list { $($(#[$list_about:meta])* $list:ident: $list_type:ty,)* })?
        }
    ) => {
        $(#[$about])*
        pub struct $name $(<$value = $default>)? {
            $($(#[$required_about])* pub $required: $required_type,)*
            $($($(#[$given_about])* pub $given: Option<$given_type>,)*)?
            $($($(#[$items_about])* pub $items: Vec<$items_type>,)*)?
            $($($(#[$optional_about])* pub $optional: Option<$optional_type>,)*)?
            $($($(#[$list_about])* pub $list: Option<Vec<$list_type>>,)*)?
        }

        impl $(<$value>)? $name $(<$value>)? {
            /// A request with the members that are required and no other.
            #[must_use]
            pub fn new(
                $($required: impl Into<$required_type>,)*
                $($($given: impl Into<$given_type>,)*)?
                $($($items: impl IntoIterator<Item = impl Into<$items_type>>,)*)?
            ) -> Self {
                Self {
                    $($required: $required.into(),)*
                    $($($given: Some($given.into()),)*)?
                    $($($items: $items.into_iter().map(Into::into).collect(),)*)?
                    $($($optional: None,)*)?
                    $($($list: None,)*)?
                }
            }

            $($(
                $(#[$optional_about])*
                #[must_use]
                pub fn $optional(mut self, $optional: impl Into<$optional_type>) -> Self {
                    self.$optional = Some($optional.into());
                    self
                }
            )*)?

            $($(
                $(#[$list_about])*
                #[must_use]
                pub fn $list(
                    mut self,
                    $list: impl IntoIterator<Item = impl Into<$list_type>>,
                ) -> Self {
                    self.$list = Some($list.into_iter().map(Into::into).collect());
                    self
                }
            )*)?
        }
    };
}

pub(super) use request;
